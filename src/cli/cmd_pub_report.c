// What `freshet pub` says: ids on standard output, refusals and progress on standard error.
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cmd_pub.h"
#include "cli/output.h"
#include "client/answer.h"

enum { PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 200 };

void pub_report_init(struct pub_report *report, const struct options *options) {
    const struct pub_settings *settings = options->settings;
    // Progress and ids on one terminal would overwrite each other.
    bool ids_elsewhere = settings->quiet || isatty(STDOUT_FILENO) != 1;
    *report = (struct pub_report){
        .program = options->program,
        .quiet = settings->quiet,
        .progress = isatty(STDERR_FILENO) == 1 && ids_elsewhere,
        .begun = clock_mono_ms(),
    };
    buf_init(&report->ids, &mem_libc, 0);
}

void pub_report_clear_line(struct pub_report *report) {
    if (report->shown) {
        output_write(STDERR_FILENO, bytes_of("\r\x1b[K"));
        report->shown = 0;
    }
}

void pub_report_finish(struct pub_report *report) {
    pub_report_clear_line(report);
    buf_finish(&report->ids);
}

struct items {
    struct pub_report *report;
    uint64_t first, at;
};

static void on_item(void *user_data, struct bytes id, const char *detail) {
    struct items *items = user_data;
    struct pub_report *report = items->report;
    uint64_t number = items->first + items->at++;
    if (id.len) {
        report->events++;
        int rc = buf_append(&report->ids, id.at, id.len);
        report->failed |= (rc ? rc : buf_append_text(&report->ids, "\n")) != 0;
    } else if (*detail) {
        report->failed = true;
        pub_report_clear_line(report);
        if (items->first) {
            output_say(report->program, "line %llu: %s", (unsigned long long)number, detail);
        } else {
            output_say(report->program, "%s", detail);
        }
    }
}

void pub_report_answer(struct pub_report *report, struct bytes answer, uint64_t first) {
    struct items items = {.report = report, .first = first};
    // An answer in another form is no failure: the status said that it was published.
    answer_items(&mem_libc, answer, on_item, &items);
    if (!report->quiet && output_write(STDOUT_FILENO, buf_bytes(&report->ids)) != 0) {
        report->quiet = true; // nobody reads them
    }
    buf_clear(&report->ids);
}

void pub_report_progress(struct pub_report *report, uint64_t bytes) {
    char line[128];
    int64_t now = clock_mono_ms();
    report->bytes += bytes;
    if (!report->progress || now - report->begun < PROGRESS_AFTER_MS ||
        now - report->shown < PROGRESS_EVERY_MS) {
        return;
    }
    double seconds = (double)(now - report->begun) / 1000;
    double mebibytes = (double)report->bytes / (1 << 20);
    report->shown = now;
    if (report->events) {
        snprintf(line, sizeof(line), "\r\x1b[K%llu events, %.1f MiB, %.0f events/s",
                 (unsigned long long)report->events, mebibytes, (double)report->events / seconds);
    } else {
        snprintf(line, sizeof(line), "\r\x1b[K%.1f MiB, %.1f MiB/s", mebibytes,
                 mebibytes / seconds);
    }
    output_write(STDERR_FILENO, bytes_of(line));
}
