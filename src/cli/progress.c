// Showing how far it is. A terminal sees nothing of work that is over within a moment, and nothing
// stays on it; a log gets few lines, and always the last.
#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/output.h"

enum { AFTER_MS = 500, EVERY_MS = 200, LOG_EVERY_MS = 2000 };

void progress_init(struct progress *progress, const char *program, bool asked) {
    *progress = (struct progress){.program = program,
                                  .terminal = isatty(STDERR_FILENO) == 1,
                                  .asked = asked,
                                  .begun = clock_mono_ms()};
}

// Appends what still fits.
static void append(char out[PROGRESS_LINE_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void append(char out[PROGRESS_LINE_MAX], const char *format, ...) {
    size_t len = strlen(out);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out + len, PROGRESS_LINE_MAX - len, format, args);
    va_end(args);
}

void progress_line(const struct progress_state *state, int64_t elapsed_ms,
                   char out[PROGRESS_LINE_MAX]) {
    double seconds = (double)(elapsed_ms > 0 ? elapsed_ms : 1) / 1000;
    double mebibytes = (double)state->bytes / (1 << 20);
    const char *what = state->what ? state->what : "events";
    *out = '\0';
    if (state->events || !state->bytes) {
        append(out, "%llu %s, ", (unsigned long long)state->events, what);
    }
    if (state->bytes) {
        append(out, "%.1f MiB, ", mebibytes);
    }
    if (state->events || !state->bytes) {
        append(out, "%.0f %s/s", (double)state->events / seconds, what);
    } else {
        append(out, "%.1f MiB/s", mebibytes / seconds);
    }
    if (state->all) {
        uint64_t done = state->done < state->all ? state->done : state->all;
        append(out, ", %.0f %%", 100 * ((double)done / (double)state->all));
    }
}

static void write_line(struct progress *progress, int64_t now) {
    char line[PROGRESS_LINE_MAX], text[PROGRESS_LINE_MAX + 8];
    progress_line(&progress->last, now - progress->begun, line);
    progress->shown = now;
    if (progress->terminal) {
        snprintf(text, sizeof(text), "\r\x1b[K%s", line);
        output_write(STDERR_FILENO, bytes_of(text));
    } else {
        output_say(progress->program, "%s", line);
    }
}

void progress_show(struct progress *progress, const struct progress_state *state) {
    progress->last = *state;
    if (!progress->terminal && !progress->asked) {
        return;
    }
    int64_t now = clock_mono_ms(), every = progress->terminal ? EVERY_MS : LOG_EVERY_MS;
    int64_t before = progress->shown ? progress->shown : progress->begun + AFTER_MS - every;
    if (now - before >= every) {
        write_line(progress, now);
    }
}

void progress_clear(struct progress *progress) {
    if (progress->terminal && progress->shown) {
        output_write(STDERR_FILENO, bytes_of("\r\x1b[K"));
        progress->shown = 0;
    }
}

void progress_finish(struct progress *progress) {
    progress_clear(progress);
    if (progress->asked) {
        progress->terminal = false;
        write_line(progress, clock_mono_ms());
    }
}
