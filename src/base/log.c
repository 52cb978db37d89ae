// Each line is put together in one buffer and leaves with one write(2), so lines of several threads
// never mix. Control bytes and quotes are escaped whatever the format: a peer cannot forge a line.
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static enum log_level log_level = LOG_INFO;
static enum log_format log_format = LOG_TEXT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(enum log_level level, enum log_format format) {
    log_level = level;
    log_format = format;
}

bool log_wants(enum log_level level) {
    return level <= log_level;
}

static size_t escape(char *out, size_t cap, const char *text) {
    size_t len = 0;
    for (; *text && len + 7 < cap; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            len += (size_t)snprintf(out + len, cap - len, "\\u%04x", c);
        } else if (log_format == LOG_JSON && (c == '"' || c == '\\')) {
            out[len++] = '\\';
            out[len++] = (char)c;
        } else {
            out[len++] = (char)c;
        }
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
    escape(escaped, sizeof(escaped), text);
    timestamp(when, sizeof(when));
    const char *shape = log_format == LOG_JSON
                            ? "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"%s\"}\n"
                            : "%s %-5s %s\n";
    int len = snprintf(line, sizeof(line), shape, when, level_names[level], escaped);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0) {
        return; // nowhere left to say it
    }
}
