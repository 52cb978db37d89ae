// Settings from a config file: one `name value` or `name = value` a line, `#` starts a comment at
// the beginning of a line or after a blank, and a value in quotes keeps its blanks and its #. What
// follows the head of a section is that section's, to the end of the file or the next head. It
// refuses unknown names, NUL bytes, long lines and large files, each with the place in the file.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/options_private.h"

struct place {
    struct options *options;
    const char *path;
    unsigned line;
    const struct option_section *section; // that the lines are in, or NULL
};

// "freshet.conf:3: name", cut to fit.
static const char *label_of(const struct place *place, const char *name, char *out, size_t size) {
    snprintf(out, size, "%.200s:%u: %s", place->path, place->line, name);
    return out;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static struct bytes without_comment(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '#' && (i == 0 || is_blank(text.at[i - 1]))) {
            return bytes_trim(bytes_make(text.at, i));
        }
    }
    return bytes_trim(text);
}

// The text after the name: unquoted, or without its quotes. False for quotes that do not pair.
static bool read_value(struct bytes text, struct bytes *value) {
    char quote = text.len ? text.at[0] : '\0';
    if (quote != '"' && quote != '\'') {
        *value = without_comment(text);
        return true;
    }
    const char *end = memchr(text.at + 1, quote, text.len - 1);
    if (!end) {
        return false;
    }
    size_t used = (size_t)(end - text.at) + 1;
    *value = bytes_make(text.at + 1, used - 2);
    bool clear = used == text.len || is_blank(text.at[used]);
    return clear && without_comment(bytes_make(text.at + used, text.len - used)).len == 0;
}

// `at` is where a section has it; NULL for the setting itself.
static int set_from_file(const struct place *place, const struct option *option, void *at,
                         struct bytes text) {
    char label[280], accepted[200];
    struct bytes value;
    label_of(place, option->name, label, sizeof(label));
    if (option->flags & (OPTION_ARGS_ONLY | OPTION_NOT_FILE)) {
        return options_fail(place->options, ERR_INVALID,
                            "%s cannot be set in a config file; use the flag --%s", label,
                            option->name);
    }
    if (!read_value(text, &value)) {
        return options_fail(place->options, ERR_INVALID,
                            "%s has a quote that does not close, or text after the closing one",
                            label);
    }
    if (text.len && text.at == value.at && value.len == 0) {
        text.len = 0; // nothing but a comment
    }
    if (text.len == 0 && option->type == OPTION_FLAG) {
        value = bytes_of("true");
    } else if (text.len == 0) {
        option_accepts(option, accepted, sizeof(accepted));
        return options_fail(place->options, ERR_INVALID, "%s needs a value: %s", label, accepted);
    }
    return at ? options_set_at(place->options, option, at, label, value)
              : options_set(place->options, option, OPTION_FILE, label, value);
}

static int read_setting(const struct place *place, const char *where, struct bytes name,
                        struct bytes text) {
    const struct option *option;
    void *at = NULL;
    if (place->section) {
        int rc = options_section_find(place->options, where, place->section, name, &option, &at);
        return rc ? rc : set_from_file(place, option, at, text);
    }
    option = options_find(place->options->table, name);
    return option ? set_from_file(place, option, NULL, text)
                  : options_unknown(place->options, where, "setting", "", name);
}

static int read_line(struct place *place, struct bytes line) {
    char where[280];
    size_t len = 0;
    label_of(place, "", where, sizeof(where));
    if (line.len && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    line = bytes_trim(line);
    if (line.len == 0 || line.at[0] == '#') {
        return 0;
    }
    if (line.at[0] == '[') {
        return options_section_begin(place->options, where, line, &place->section);
    }
    while (len < line.len && !is_blank(line.at[len]) && line.at[len] != '=') {
        len++;
    }
    struct bytes name = bytes_make(line.at, len);
    struct bytes text = bytes_trim(bytes_make(line.at + len, line.len - len));
    if (text.len && text.at[0] == '=') {
        text = bytes_trim(bytes_make(text.at + 1, text.len - 1));
    }
    return read_setting(place, where, name, text);
}

static int read_lines(struct place *place, struct bytes text) {
    if (bytes_starts_with(text, "\xef\xbb\xbf")) {
        text = bytes_make(text.at + 3, text.len - 3);
    }
    while (text.len) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;
        place->line++;
        if (len > OPTIONS_LINE_MAX || memchr(text.at, '\0', len)) {
            return options_fail(place->options, ERR_INVALID, "%.200s:%u: %s", place->path,
                                place->line,
                                len > OPTIONS_LINE_MAX ? "the line is longer than 8192 bytes"
                                                       : "the line has a NUL byte; is this text?");
        }
        int rc = read_line(place, bytes_make(text.at, len));
        if (rc) {
            return rc;
        }
        len += end ? 1 : 0;
        text = bytes_make(text.at + len, text.len - len);
    }
    return 0;
}

// 0, or an error with errno where that explains it.
static int read_whole(int fd, struct buf *text) {
    for (;;) {
        int rc = buf_reserve(text, 4096);
        if (rc) {
            return rc;
        }
        ssize_t got = read(fd, text->at + text->len, text->cap - text->len);
        if (got == 0) {
            return text->len > OPTIONS_FILE_MAX ? ERR_TOO_LARGE : 0;
        }
        if (got < 0 && errno != EINTR) {
            return ERR_SYSTEM;
        }
        text->len += got > 0 ? (size_t)got : 0;
    }
}

static int fail_reading(struct options *options, const char *path, int rc) {
    switch (rc) {
    case ERR_TOO_LARGE:
        return options_fail(options, rc, "%.200s is larger than 1 MiB; is it a config file?", path);
    case ERR_NOMEM:
        return options_fail(options, rc, "there is not enough memory to read %.200s", path);
    default:
        return options_fail(options, rc, "cannot read the config file %.200s: %s", path,
                            strerror(errno));
    }
}

int options_from_file(struct options *options, const char *path) {
    struct place place = {.options = options, .path = path};
    struct buf text;
    buf_init(&text, options->mem, OPTIONS_FILE_MAX + 8192);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? ERR_SYSTEM : read_whole(fd, &text);
    if (rc) {
        rc = fail_reading(options, path, rc);
    }
    if (fd >= 0) {
        close(fd);
    }
    rc = rc ? rc : read_lines(&place, buf_bytes(&text));
    buf_finish(&text);
    return rc;
}
