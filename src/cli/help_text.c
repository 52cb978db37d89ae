// The wrapping of help and the wording of an option, the same on a terminal and in a man page.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/help_private.h"

const char help_tagline[] = "pushes events from servers to browsers, apps and command lines";

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

void help_sentence(const struct option *option, char *out, size_t size) {
    char range[200];
    bool shows = option->initial && option->initial[0] &&
                 !(option->type == OPTION_FLAG && strcmp(option->initial, "false") == 0);
    option_range(option, range, sizeof(range));
    snprintf(out, size, "%s%s%s%s%s%s%s", option->help, *range ? " (" : "", range,
             *range ? ")" : "", shows ? " [default: " : "", shows ? option->initial : "",
             shows ? "]" : "");
}

bool help_has_file(const struct option *table) {
    for (; table->name; table++) {
        if (strcmp(table->name, "config") == 0) {
            return true;
        }
    }
    return false;
}
