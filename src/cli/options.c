// The values of a settings struct: who set each, storing, freeing, and the order of the sources.
// Its one policy: a weaker source never undoes a stronger one, so the sources may be read in the
// order that is practical (the arguments before the file that they name).
#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/options_private.h"
#include "cli/suggest.h"

void options_init(struct options *options, const struct mem *mem, const struct option *table,
                  void *settings, const char *program) {
    *options =
        (struct options){.mem = mem, .table = table, .settings = settings, .program = program};
}

static void *member(const struct options *options, const struct option *option) {
    return (char *)options->settings + option->offset;
}

static uint8_t *source_of(struct options *options, const struct option *option) {
    return &options->sources[option - options->table];
}

static char *copy_text(const struct mem *mem, struct bytes text) {
    char *copy = mem_alloc(mem, text.len + 1);
    if (copy) {
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

int option_list_append(const struct mem *mem, struct texts *list, struct bytes text) {
    char *copy = copy_text(mem, text);
    char **items = mem_resize(mem, list->items, (list->count + 1) * sizeof(*items));
    if (items) {
        list->items = items;
    }
    if (!copy || !items) {
        mem_free(mem, copy);
        return ERR_NOMEM;
    }
    list->items[list->count++] = copy;
    return 0;
}

void option_list_finish(const struct mem *mem, struct texts *list) {
    for (size_t i = 0; i < list->count; i++) {
        mem_free(mem, list->items[i]);
    }
    mem_free(mem, list->items);
    *list = (struct texts){0};
}

void options_clear_at(const struct mem *mem, const struct option *option, void *at) {
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_ADDRESS: {
        char **text = at;
        mem_free(mem, *text);
        *text = NULL;
        break;
    }
    case OPTION_LIST:
    case OPTION_LINES:
        option_list_finish(mem, at);
        break;
    default:
        break;
    }
}

static void clear_member(struct options *options, const struct option *option) {
    options_clear_at(options->mem, option, member(options, option));
}

void options_finish(struct options *options) {
    for (const struct option *option = options->table; option->name; option++) {
        clear_member(options, option);
    }
    options_sections_finish(options);
    option_list_finish(options->mem, &options->rest);
}

int options_fail(struct options *options, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(options->error, sizeof(options->error), format, args);
    va_end(args);
    return code;
}

int options_unknown(struct options *options, const char *where, const char *kind,
                    const char *prefix, struct bytes name) {
    struct suggest suggest;
    char quoted[OPTION_QUOTE_MAX];
    suggest_init(&suggest, name);
    for (const struct option *option = options->table; option->name; option++) {
        suggest_consider(&suggest, option->name);
    }
    // The quotes go: what follows "option" or "setting" is unmistakably the name.
    option_quote(name, quoted);
    int shown = (int)strlen(quoted) - 2;
    if (suggest.best) {
        return options_fail(options, ERR_INVALID, "%sthere is no %s %s%.*s; did you mean %s%s?",
                            where, kind, prefix, shown, quoted + 1, prefix, suggest.best);
    }
    return options_fail(options, ERR_INVALID, "%sthere is no %s %s%.*s; %s --help lists them all",
                        where, kind, prefix, shown, quoted + 1, options->program);
}

const struct option *options_find(const struct option *table, struct bytes name) {
    for (const struct option *option = table; option->name; option++) {
        if (bytes_is(name, option->name)) {
            return option;
        }
    }
    return NULL;
}

static bool readable(const struct option *option, struct bytes value) {
    uint64_t number;
    bool flag;
    int choice;
    switch (option->type) {
    case OPTION_FLAG:
        return option_read_flag(value, &flag);
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return option_read_number(option, value, &number);
    case OPTION_CHOICE:
        return option_read_choice(option, value, &choice);
    case OPTION_ADDRESS:
        return option_read_address(value);
    default:
        return true;
    }
}

static int store_list(const struct mem *mem, struct texts *list, struct bytes value,
                      char separator) {
    for (;;) {
        const char *end = value.len ? memchr(value.at, separator, value.len) : NULL;
        size_t len = end ? (size_t)(end - value.at) : value.len;
        struct bytes part = bytes_trim(bytes_make(value.at, len));
        int rc = part.len ? option_list_append(mem, list, part) : 0;
        if (rc || !end) {
            return rc;
        }
        value = bytes_make(end + 1, value.len - len - 1);
    }
}

static int store_text(const struct mem *mem, char **member, struct bytes value) {
    char *copy = copy_text(mem, value);
    if (!copy) {
        return ERR_NOMEM;
    }
    mem_free(mem, *member);
    *member = copy;
    return 0;
}

// The value is known to be readable.
static int store(const struct mem *mem, const struct option *option, void *at, struct bytes value) {
    uint64_t number = 0;
    switch (option->type) {
    case OPTION_FLAG:
        option_read_flag(value, at);
        return 0;
    case OPTION_COUNT:
    case OPTION_SIZE:
        option_read_number(option, value, at);
        return 0;
    case OPTION_DURATION:
        option_read_number(option, value, &number);
        *(int64_t *)at = (int64_t)number;
        return 0;
    case OPTION_CHOICE:
        option_read_choice(option, value, at);
        return 0;
    case OPTION_LIST:
        return store_list(mem, at, value, ',');
    case OPTION_LINES:
        return store_list(mem, at, value, '\n');
    case OPTION_TEXT:
    case OPTION_ADDRESS:
        return store_text(mem, at, value);
    }
    return ERR_INVALID;
}

static int check(struct options *options, const struct option *option, const char *label,
                 struct bytes value) {
    char accepted[200], quoted[OPTION_QUOTE_MAX];
    if (readable(option, value)) {
        return 0;
    }
    option_accepts(option, accepted, sizeof(accepted));
    return options_fail(options, ERR_INVALID, "%s must be %s, not %s", label, accepted,
                        option_quote(value, quoted));
}

int options_set_at(struct options *options, const struct option *option, void *at,
                   const char *label, struct bytes value) {
    int rc = check(options, option, label, value);
    if (rc) {
        return rc;
    }
    rc = store(options->mem, option, at, value);
    return rc ? options_fail(options, rc, "there is not enough memory to read the settings") : 0;
}

int options_set(struct options *options, const struct option *option, enum option_source source,
                const char *label, struct bytes value) {
    uint8_t *holder = source_of(options, option);
    int rc = check(options, option, label, value);
    if (rc) {
        return rc;
    }
    if (*holder > source) {
        return 0;
    }
    if (*holder < source) {
        clear_member(options, option);
    }
    *holder = (uint8_t)source;
    rc = store(options->mem, option, member(options, option), value);
    return rc ? options_fail(options, rc, "there is not enough memory to read the settings") : 0;
}

int options_defaults(struct options *options) {
    for (const struct option *option = options->table; option->name; option++) {
        int rc = option->initial ? options_set(options, option, OPTION_DEFAULT, option->name,
                                               bytes_of(option->initial))
                                 : 0;
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int options_settle(struct options *options) {
    int rc = 0;
    for (const struct option *option = options->table; rc == 0 && option->name; option++) {
        const struct option *beside =
            option->beside ? options_find(options->table, bytes_of(option->beside)) : NULL;
        const char *text = beside ? *(char **)member(options, beside) : NULL;
        if (text && *source_of(options, option) <= OPTION_DEFAULT) {
            rc = options_set(options, option, OPTION_DEFAULT, option->name,
                             bytes_of(option->initial_then));
        }
    }
    return rc;
}

int options_load(struct options *options, int argc, const char *const *argv,
                 const char *const *environment) {
    options->argc = argc;
    options->argv = argv;
    options->environment = environment;
    int rc = options_defaults(options);
    rc = rc ? rc : options_from_args(options, argc, argv);
    rc = rc ? rc : options_from_env(options, environment);
    const struct option *config = options_find(options->table, bytes_of("config"));
    bool has_file = config && !(config->flags & OPTION_NOT_OWN_FILE);
    const char *path = rc || !has_file ? NULL : *(char **)member(options, config);
    if (path && path[0]) {
        rc = options_from_file(options, path);
    }
    rc = rc ? rc : options_settle(options);
    return rc ? rc : options_credentials(options, environment);
}

enum option_source options_source(const struct options *options, const char *name) {
    const struct option *option = options_find(options->table, bytes_of(name));
    return option ? options->sources[option - options->table] : OPTION_UNSET;
}
