// Sections of a config file: `[name "argument"]`, and below it settings that hold for this argument
// alone. Each becomes an item of a list in the settings struct, and starts with the values that the
// settings of the same names have. It refuses sections that nobody declared, arguments that make no
// sense or come twice, more than a section may have, and settings that are for the whole program.
#include <stdio.h>

#include "cli/options_private.h"

struct records *options_records(const struct options *options,
                                const struct option_section *section) {
    return (struct records *)(void *)((char *)options->settings + section->offset);
}

// Every item begins with its argument.
char **options_item(const struct records *records, const struct option_section *section,
                    size_t place) {
    return (char **)(void *)((char *)records->items + place * section->size);
}

static void free_item(const struct options *options, const struct option_section *section,
                      char **item) {
    const struct option_member *member = section->members;
    for (; member->name; member++) {
        options_clear_at(options->mem, options_find(options->table, bytes_of(member->name)),
                         (char *)item + member->offset);
    }
    mem_free(options->mem, *item);
}

static void free_records(const struct options *options, struct records *records,
                         const struct option_section *section) {
    for (size_t i = 0; i < records->count; i++) {
        free_item(options, section, options_item(records, section, i));
    }
    mem_free(options->mem, records->items);
    *records = (struct records){0};
}

void options_section_clear(struct options *options, const struct option_section *section) {
    free_records(options, options_records(options, section), section);
}

void options_sections_finish(struct options *options) {
    const struct option_section *section = options->sections;
    for (; section && section->name; section++) {
        options_section_clear(options, section);
    }
}

static const struct option_section *find(const struct options *options, struct bytes name) {
    const struct option_section *section = options->sections;
    for (; section && section->name; section++) {
        if (bytes_is(name, section->name)) {
            return section;
        }
    }
    return NULL;
}

// [name "argument"] with a comment behind it, or without the quotes, or with single ones.
static bool read_header(struct bytes line, struct bytes *name, struct bytes *argument) {
    const char *at = line.at + 1, *end = line.at + line.len;
    size_t len = 0;
    while (at + len < end && at[len] != ' ' && at[len] != '\t' && at[len] != ']') {
        len++;
    }
    *name = bytes_make(at, len);
    at += len;
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    char close = at < end && (*at == '"' || *at == '\'') ? *at++ : ']';
    const char *stop = memchr(at, close, (size_t)(end - at));
    if (!stop) {
        return false;
    }
    *argument = bytes_make(at, (size_t)(stop - at));
    if (close == ']') {
        *argument = bytes_trim(*argument);
        stop--;
    }
    struct bytes rest = bytes_trim(bytes_make(stop + 1, (size_t)(end - stop - 1)));
    if (rest.len == 0 || rest.at[0] != ']') {
        return false;
    }
    rest = bytes_trim(bytes_make(rest.at + 1, rest.len - 1));
    return rest.len == 0 || rest.at[0] == '#';
}

// What is wrong with one more section of this kind; NULL when nothing is.
static const char *problem_of(const struct option_section *section, const struct records *records,
                              struct bytes argument) {
    if (argument.len == 0) {
        return "it names nothing";
    }
    const char *problem = section->problem(argument);
    for (size_t i = 0; !problem && i < records->count; i++) {
        if (bytes_is(argument, *options_item(records, section, i))) {
            problem = "there is this section already; put all of its settings there";
        }
    }
    return problem;
}

// Of what a value is kept in: 0 for what has memory of its own, and starts empty.
static size_t size_of(const struct option *option) {
    switch (option->type) {
    case OPTION_FLAG:
        return sizeof(bool);
    case OPTION_CHOICE:
        return sizeof(int);
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return sizeof(uint64_t);
    default:
        return 0;
    }
}

// The values that hold for the whole program are what a section starts with.
static void inherit(const struct options *options, const struct option_section *section,
                    char *item) {
    for (const struct option_member *member = section->members; member->name; member++) {
        const struct option *option = options_find(options->table, bytes_of(member->name));
        memcpy(item + member->offset, (char *)options->settings + option->offset, size_of(option));
    }
}

static int append(struct options *options, const struct option_section *section,
                  struct bytes argument) {
    struct records *records = options_records(options, section);
    char *items = mem_resize(options->mem, records->items, (records->count + 1) * section->size);
    char *copy = mem_new(options->mem, argument.len + 1);
    if (items) {
        records->items = items;
    }
    if (!items || !copy) {
        mem_free(options->mem, copy);
        return options_fail(options, ERR_NOMEM, "there is not enough memory to read the settings");
    }
    memcpy(copy, argument.at, argument.len);
    char **item = options_item(records, section, records->count++);
    memset(item, 0, section->size);
    *item = copy;
    inherit(options, section, (char *)item);
    return 0;
}

// "[topics "PATTERN"] and [listen "ADDRESS"]": all that there are.
static void section_forms(const struct option_section *section, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (bool first = true; section->name && used < size; section++, first = false) {
        const char *joint = first ? "" : section[1].name ? ", " : " and ";
        used += (size_t)snprintf(out + used, size - used, "%s[%s \"%s\"]", joint, section->name,
                                 section->argument);
    }
}

int options_section_begin(struct options *options, const char *where, struct bytes line,
                          const struct option_section **out) {
    const struct option_section *known = options->sections;
    struct bytes name, argument;
    char quoted[OPTION_QUOTE_MAX], forms[200];
    if (!known) {
        return options_fail(options, ERR_INVALID,
                            "%sthis file has no sections; write the settings without them", where);
    }
    if (!read_header(line, &name, &argument)) {
        return options_fail(options, ERR_INVALID, "%sa section is written [%s \"%s\"]", where,
                            known->name, known->argument);
    }
    const struct option_section *section = find(options, name);
    if (!section) {
        section_forms(known, forms, sizeof(forms));
        return options_fail(options, ERR_INVALID, "%sthere is no section %s; there is %s", where,
                            option_quote(name, quoted), forms);
    }
    const struct records *records = options_records(options, section);
    if (records->count == section->most) {
        return options_fail(options, ERR_INVALID, "%sthere are more than %zu sections [%s \"%s\"]",
                            where, section->most, section->name, section->argument);
    }
    const char *problem = problem_of(section, records, argument);
    if (problem) {
        return options_fail(options, ERR_INVALID, "%s[%s %s]: %s", where, section->name,
                            option_quote(argument, quoted), problem);
    }
    *out = section;
    int rc = options_settle(options);
    return rc ? rc : append(options, section, argument);
}

void option_section_names(const struct option_section *section, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (const struct option_member *m = section->members; m->name && used < size; m++) {
        const char *joint = m == section->members ? "" : m[1].name ? ", " : " and ";
        used += (size_t)snprintf(out + used, size - used, "%s%s", joint, m->name);
    }
}

int options_section_find(struct options *options, const char *where,
                         const struct option_section *section, struct bytes name,
                         const struct option **option, void **at) {
    const struct records *records = options_records(options, section);
    char names[200], quoted[OPTION_QUOTE_MAX];
    for (const struct option_member *member = section->members; member->name; member++) {
        if (bytes_is(name, member->name)) {
            *option = options_find(options->table, name);
            *at = (char *)options_item(records, section, records->count - 1) + member->offset;
            return 0;
        }
    }
    option_section_names(section, names, sizeof(names));
    return options_fail(options, ERR_INVALID, "%s%s cannot be set in a section [%s]; %s can", where,
                        option_quote(name, quoted), section->name, names);
}
