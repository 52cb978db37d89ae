// The wrapping of help and the wording of an option, the same on a terminal and in a man page.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/help_private.h"

const char help_tagline[] = "pushes events from servers to browsers, apps and command lines";

const char help_file_format[] =
    "A setting a line: its name without the hyphens, then blanks or an equals sign, then its "
    "value. "
    "A flag needs no value.\n"
    "What follows a # at the beginning of a line or after a blank is a comment. A value in quotes, "
    "single or double, keeps its blanks and its #. An unknown name is an error.";

void help_text(struct help *help, const char *text) {
    if (help->rc == 0) {
        help->rc = buf_append_text(help->out, text);
    }
}

void help_printf(struct help *help, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    help_text(help, text);
}

static void put(struct help *help, const char *text, size_t len) {
    if (help->rc == 0) {
        help->rc = buf_append(help->out, text, len);
    }
    help->column += len;
}

static void new_line(struct help *help, size_t indent) {
    put(help, "\n", 1);
    help->column = 0;
    while (help->column < indent) {
        put(help, " ", 1);
    }
}

// A word that is wider than a whole line is cut; anything else keeps together.
static void put_word(struct help *help, size_t indent, const char *word, size_t len) {
    size_t room = help->width - indent;
    if (help->column > indent && help->column + 1 + len > help->width) {
        new_line(help, indent);
    } else if (help->column > indent) {
        put(help, " ", 1);
    }
    while (len > room) {
        put(help, word, room);
        new_line(help, indent);
        word += room;
        len -= room;
    }
    put(help, word, len);
}

void help_wrap(struct help *help, size_t indent, const char *text) {
    if (!*text) {
        return;
    }
    while (help->column < indent) {
        put(help, " ", 1);
    }
    while (*text) {
        size_t len = strcspn(text, " \n");
        if (len) {
            put_word(help, indent, text, len);
        }
        text += len;
        if (*text == '\n') {
            new_line(help, 0);
            new_line(help, indent);
        }
        text += *text ? 1 : 0;
    }
    new_line(help, 0);
}

void help_spelling(const struct option *option, char *out, size_t size) {
    char letter[] = {'-', option->letter, ',', ' ', '\0'};
    bool starts_true =
        option->type == OPTION_FLAG && option->initial && strcmp(option->initial, "true") == 0;
    snprintf(out, size, "%s--%s%s%s%s", option->letter ? letter : "", starts_true ? "[no-]" : "",
             option->name, option->type == OPTION_FLAG ? "" : " ",
             option->type == OPTION_FLAG ? "" : option->value_name);
}

bool help_default(const struct option *option, char *out, size_t size) {
    const char *initial = option->initial ? option->initial : "";
    if (option->beside) {
        snprintf(out, size, "%s; %s with --%s", initial, option->initial_then, option->beside);
    } else {
        snprintf(out, size, "%s", initial);
    }
    return *out != '\0';
}

void help_sentence(const struct option *option, char *out, size_t size) {
    char range[200], initial[200];
    bool shows = help_default(option, initial, sizeof(initial)) &&
                 !(option->type == OPTION_FLAG && strcmp(initial, "false") == 0);
    option_range(option, range, sizeof(range));
    bool live = option->flags & OPTION_LIVE;
    snprintf(out, size, "%s%s%s%s%s%s%s%s", option->help, *range ? " (" : "", range,
             *range ? ")" : "", shows ? " [default: " : "", shows ? initial : "", shows ? "]" : "",
             live ? " [reloadable]" : "");
}

bool help_has_file(const struct option *table) {
    for (; table->name; table++) {
        if (strcmp(table->name, "config") == 0 && !(table->flags & OPTION_NOT_OWN_FILE)) {
            return true;
        }
    }
    return false;
}

void help_section(const struct option_section *section, char *out, size_t size) {
    char names[200];
    option_section_names(section, names, sizeof(names));
    snprintf(out, size,
             "A section begins with a line [%s \"%s\"] and ends with the next one, or with the "
             "file. %s It may hold %s; what it leaves out is as in the rest of the file, the "
             "environment and the flags. There may be %zu of them%s. Only the file has sections.",
             section->name, section->argument, section->help, names, section->most,
             section->live ? ", and they are reloadable" : "");
}

// "FRESHET_URL for --url and FRESHET_HEADER for --header", or what they are not but for.
static void name_some(const struct option *table, bool from_env, char *out, size_t size) {
    const struct option *last = NULL;
    size_t used = 0;
    out[0] = '\0';
    for (const struct option *option = table; option->name; option++) {
        last = !(option->flags & OPTION_ARGS_ONLY) == from_env ? option : last;
    }
    for (const struct option *option = table; option->name && used < size; option++) {
        char variable[80];
        if (!(option->flags & OPTION_ARGS_ONLY) != from_env) {
            continue;
        }
        const char *joint = used == 0 ? "" : option == last ? " and " : ", ";
        option_env_name(option, variable, sizeof(variable));
        used += (size_t)snprintf(out + used, size - used, "%s%s%s--%s", joint,
                                 from_env ? variable : "", from_env ? " for " : "", option->name);
    }
}

void help_sources(const struct option *table, char *out, size_t size) {
    char some[600];
    bool file = help_has_file(table);
    size_t of_env = 0, not_of_env = 0;
    out[0] = '\0';
    for (const struct option *option = table; option->name; option++) {
        *(option->flags & OPTION_ARGS_ONLY ? &not_of_env : &of_env) += 1;
    }
    if (of_env == 0) {
        return;
    }
    bool few = of_env < not_of_env;
    name_some(table, few, some, sizeof(some));
    if (few) {
        snprintf(out, size, "The environment may hold %s. A flag wins over it.", some);
    } else {
        snprintf(out, size,
                 "Every option%s%s may also be an environment variable, in capitals after "
                 "FRESHET_ (FRESHET_MAX_CONNECTIONS for --max-connections)%s. A flag wins over %s.",
                 *some ? " but " : "", some,
                 file ? ", or a line of the config file, \"max-connections = 1000\"" : "",
                 file ? "the environment, and the environment over the file" : "the environment");
    }
}
