// Settings from the command line and from the environment. Options and positional arguments may
// mix; `--` ends the options. It refuses a flag it does not know, and ignores a variable it does
// not know: the variables of one shell serve several commands, and orchestrators add their own.
#include <stdio.h>

#include "cli/options_private.h"

struct cursor {
    struct options *options;
    int argc, at;
    const char *const *argv;
};

// The next argument as the value of `label`, or NULL with the sentence written.
static const char *take_value(struct cursor *cursor, const struct option *option,
                              const char *label) {
    char accepted[200];
    if (cursor->at < cursor->argc) {
        return cursor->argv[cursor->at++];
    }
    option_accepts(option, accepted, sizeof(accepted));
    options_fail(cursor->options, ERR_INVALID, "%s needs a value: %s", label, accepted);
    return NULL;
}

static int set_from_args(struct cursor *cursor, const struct option *option, const char *label,
                         const char *value) {
    if (!value && option->type == OPTION_FLAG) {
        value = "true";
    }
    value = value ? value : take_value(cursor, option, label);
    return value ? options_set(cursor->options, option, OPTION_ARGS, label, bytes_of(value))
                 : ERR_INVALID;
}

static const struct option *find_negated(const struct option *table, struct bytes name) {
    if (!bytes_starts_with(name, "no-")) {
        return NULL;
    }
    const struct option *option = options_find(table, bytes_make(name.at + 3, name.len - 3));
    return option && option->type == OPTION_FLAG ? option : NULL;
}

static int long_option(struct cursor *cursor, const char *text) {
    const char *equals = strchr(text, '=');
    struct bytes name = bytes_make(text, equals ? (size_t)(equals - text) : strlen(text));
    const struct option *option = options_find(cursor->options->table, name);
    const struct option *negated = option ? NULL : find_negated(cursor->options->table, name);
    char label[80];
    if (!option && !negated) {
        return options_unknown(cursor->options, "", "option", "--", name);
    }
    snprintf(label, sizeof(label), "--%.*s", (int)name.len, name.at);
    if (option) {
        return set_from_args(cursor, option, label, equals ? equals + 1 : NULL);
    }
    if (equals) {
        return options_fail(cursor->options, ERR_INVALID, "%s takes no value; leave out \"%s\"",
                            label, equals);
    }
    return set_from_args(cursor, negated, label, "false");
}

static const struct option *find_letter(const struct option *table, char letter) {
    for (const struct option *option = table; option->name; option++) {
        if (option->letter == letter) {
            return option;
        }
    }
    return NULL;
}

// -q, -qv, -n5 and -n 5.
static int short_options(struct cursor *cursor, const char *letters) {
    for (; *letters; letters++) {
        const struct option *option = find_letter(cursor->options->table, *letters);
        char label[] = {'-', *letters, '\0'};
        if (!option) {
            return options_unknown(cursor->options, "", "option", "-", bytes_make(letters, 1));
        }
        bool joined = option->type != OPTION_FLAG && letters[1];
        int rc = set_from_args(cursor, option, label, joined ? letters + 1 : NULL);
        if (rc || joined) {
            return rc;
        }
    }
    return 0;
}

enum options_request options_request_of(const char *argument) {
    static const struct {
        const char *name;
        enum options_request request;
    } requests[] = {
        {"--help", OPTIONS_HELP},
        {"-h", OPTIONS_HELP},
        {"--help-markdown", OPTIONS_HELP_MARKDOWN},
        {"--help-man", OPTIONS_HELP_MAN},
        {"--help-man-file", OPTIONS_HELP_MAN_FILE},
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (strcmp(argument, requests[i].name) == 0) {
            return requests[i].request;
        }
    }
    return OPTIONS_RUN;
}

static int positional(struct cursor *cursor, const char *argument) {
    struct options *options = cursor->options;
    int rc = option_list_append(options->mem, &options->rest, bytes_of(argument));
    return rc ? options_fail(options, rc, "there is not enough memory to read the arguments") : 0;
}

int options_from_args(struct options *options, int argc, const char *const *argv) {
    struct cursor cursor = {.options = options, .argc = argc, .argv = argv};
    bool only_positional = false;
    int rc = 0;
    while (rc == 0 && cursor.at < cursor.argc) {
        const char *argument = cursor.argv[cursor.at++];
        if (only_positional || argument[0] != '-' || argument[1] == '\0') {
            rc = positional(&cursor, argument);
        } else if (strcmp(argument, "--") == 0) {
            only_positional = true;
        } else if (options_request_of(argument)) {
            rc = options_request_of(argument);
        } else if (argument[1] == '-') {
            rc = long_option(&cursor, argument + 2);
        } else {
            rc = short_options(&cursor, argument + 1);
        }
    }
    return rc;
}

bool option_env_name(const struct option *option, char *out, size_t size) {
    int len = snprintf(out, size, "FRESHET_%s", option->name);
    for (char *c = out; len > 0 && *c; c++) {
        if (*c == '-') {
            *c = '_';
        } else if (*c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 'a' + 'A');
        }
    }
    return len > 0 && (size_t)len < size;
}

static const char *env_value(const char *const *environment, const char *name) {
    size_t len = strlen(name);
    for (; environment && *environment; environment++) {
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=') {
            return *environment + len + 1;
        }
    }
    return NULL;
}

int options_from_env(struct options *options, const char *const *environment) {
    for (const struct option *option = options->table; option->name; option++) {
        char name[80];
        if (option->flags & OPTION_ARGS_ONLY || !option_env_name(option, name, sizeof(name))) {
            continue;
        }
        const char *value = env_value(environment, name);
        int rc = value ? options_set(options, option, OPTION_ENV, name, bytes_of(value)) : 0;
        if (rc) {
            return rc;
        }
    }
    return 0;
}
