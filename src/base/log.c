// Each line is put together in one buffer and leaves with one write(2), so lines of several threads
// never mix. Control bytes, and in JSON quotes and what is no text, are escaped: a peer cannot
// forge a line.
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static atomic_int log_level = LOG_INFO;
static atomic_int log_format = LOG_TEXT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(enum log_level level, enum log_format format) {
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
    atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

bool log_wants(enum log_level level) {
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

// The length of the character that the text begins with, or 0 when these bytes are no UTF-8.
static size_t utf8_length(const unsigned char *at) {
    uint32_t lead = at[0], least = lead < 0xe0 ? 0x80 : lead < 0xf0 ? 0x800 : 0x10000;
    size_t len = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    len = lead < 0xf8 ? len : 0;
    uint32_t code = lead & (0x7f >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0; // the terminator, too
        }
        code = code << 6 | (at[i] & 0x3f);
    }
    bool wrong = code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
    return len > 1 && wrong ? 0 : len;
}

static size_t escape(char *out, size_t cap, const char *text, enum log_format format) {
    const unsigned char *at = (const unsigned char *)text;
    size_t len = 0;
    while (*at && len + 7 < cap) {
        size_t character = utf8_length(at);
        if (character == 0) {
            len += (size_t)snprintf(out + len, cap - len, "\\ufffd");
        } else if (*at < 0x20 || *at == 0x7f) {
            len += (size_t)snprintf(out + len, cap - len, "\\u%04x", *at);
        } else {
            if (format == LOG_JSON && (*at == '"' || *at == '\\')) {
                out[len++] = '\\';
            }
            memcpy(out + len, at, character);
            len += character;
        }
        at += character ? character : 1;
    }
    out[len] = '\0';
    return len;
}

static void timestamp(char *out, size_t cap) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, cap - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

void log_write(enum log_level level, const char *format, ...) {
    if (!log_wants(level)) {
        return;
    }
    char text[LINE_MAX_BYTES], escaped[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 128], when[40];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    // One look, so that a line is of one kind.
    enum log_format form = (enum log_format)atomic_load_explicit(&log_format, memory_order_relaxed);
    escape(escaped, sizeof(escaped), text, form);
    timestamp(when, sizeof(when));
    const char *shape = form == LOG_JSON ? "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"%s\"}\n"
                                         : "%s %-5s %s\n";
    int len = snprintf(line, sizeof(line), shape, when, level_names[level], escaped);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0) {
        return; // nowhere left to say it
    }
}
