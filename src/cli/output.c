// Output that survives slow readers, vanished readers and hostile bytes.
#include "cli/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <freshet/event.h>

#include "base/error.h"
#include "cli/stop.h"

// A descriptor that somebody else has made non-blocking: wait for room or for the end.
static int wait_for_room(int fd) {
    struct pollfd ready[2] = {{.fd = fd, .events = POLLOUT}, {.fd = stop_fd(), .events = POLLIN}};
    poll(ready, 2, -1);
    return stop_asked() ? ERR_GONE : 0;
}

int output_write(int fd, struct bytes text) {
    while (text.len) {
        ssize_t written = write(fd, text.at, text.len);
        if (written >= 0) {
            text = bytes_make(text.at + written, text.len - (size_t)written);
        } else if (errno == EAGAIN) {
            if (wait_for_room(fd) != 0) {
                return ERR_GONE;
            }
        } else if (errno == EPIPE || (errno == EINTR && stop_asked())) {
            return ERR_GONE;
        } else if (errno != EINTR) {
            return ERR_SYSTEM;
        }
    }
    return 0;
}

// One character of well-formed UTF-8 and its length.
static size_t decode(struct bytes text, unsigned *character) {
    unsigned char first = (unsigned char)text.at[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *character = len == 1 ? first : first & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        *character = *character << 6 | ((unsigned char)text.at[i] & 0x3f);
    }
    return len;
}

static bool steers_terminal(unsigned character, bool lines) {
    if (character == '\t' || (character == '\n' && lines)) {
        return false;
    }
    return character < 0x20 || (character >= 0x7f && character <= 0x9f) || character == 0x200e ||
           character == 0x200f || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

static int escape_valid(struct buf *out, struct bytes text, bool lines) {
    int rc = 0;
    while (text.len && rc == 0) {
        unsigned character;
        size_t len = decode(text, &character);
        rc = steers_terminal(character, lines) ? buf_printf(out, "\\u%04x", character)
                                               : buf_append(out, text.at, len);
        text = bytes_make(text.at + len, text.len - len);
    }
    return rc;
}

int output_escape(struct buf *out, struct bytes text, bool lines) {
    int rc = 0;
    while (text.len && rc == 0) {
        size_t valid = freshet_utf8_check((struct freshet_text){.at = text.at, .len = text.len});
        rc = escape_valid(out, bytes_make(text.at, valid), lines);
        if (rc == 0 && valid < text.len) {
            rc = buf_printf(out, "\\x%02x", (unsigned char)text.at[valid]);
            valid++;
        }
        text = bytes_make(text.at + valid, text.len - valid);
    }
    return rc;
}

void output_say(const char *program, const char *format, ...) {
    char sentence[1024];
    struct buf line;
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    buf_init(&line, &mem_libc, 0);
    if (buf_printf(&line, "%s: ", program) == 0 &&
        output_escape(&line, bytes_of(sentence), false) == 0 && buf_append_text(&line, "\n") == 0) {
        output_write(STDERR_FILENO, buf_bytes(&line));
    }
    buf_finish(&line);
}
