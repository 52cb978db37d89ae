// What `freshet bench` says: a line while it runs, a table or JSON at the end.
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "load/load.h"

// The progress callback of a load; ctx is a struct bench_line. On anything but a terminal it
// only looks whether the end was asked for.
struct bench_line {
    bool shown, terminal;
    uint64_t delivered;
    double elapsed_s;
};
bool bench_progress(void *ctx, const struct load_progress *progress);

// Wipes the line away.
void bench_line_clear(struct bench_line *line);

void bench_table(const struct load_settings *settings, const struct load_result *result);
void bench_json(const struct load_settings *settings, const struct load_result *result);

// Whether every event reached everyone once and in order.
bool bench_flawless(const struct load_settings *settings, const struct load_result *result);

// Whether the figures are those of the generator.
bool bench_was_bottleneck(const struct load_result *result);

#endif
