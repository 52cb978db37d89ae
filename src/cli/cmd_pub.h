// The parts of `freshet pub`: the command with its settings (cmd_pub.c), standard input as batches
// of events (cmd_pub_lines.c), and what is said meanwhile (cmd_pub_report.c).
#ifndef CLI_CMD_PUB_H
#define CLI_CMD_PUB_H

#include <stdint.h>

#include "base/buf.h"
#include "cli/options.h"
#include "client/post.h"

struct pub_settings {
    char *url, *event, *id, *key;
    struct texts headers;
    int64_t retry, timeout;
    uint64_t attempts;
    bool private, lines, ndjson, event_stream, quiet;
};

// What was published so far, printed and counted.
struct pub_report {
    const char *program;
    bool quiet;
    bool progress; // a line on standard error that is rewritten
    bool failed;   // an item was refused, or an id could not be printed
    uint64_t events, bytes;
    int64_t begun, shown; // when (monotonic)
    struct buf ids;
};

void pub_report_init(struct pub_report *report, const struct options *options);
void pub_report_finish(struct pub_report *report);

// The server's answer: prints the ids, one a line, and says which items were refused. `first` is
// the number of its first item in the input, for sentences, or 0. Remembers whether something
// failed.
void pub_report_answer(struct pub_report *report, struct bytes answer, uint64_t first);

// So many more bytes were sent; shows the progress now and then.
void pub_report_progress(struct pub_report *report, uint64_t bytes);

// Makes room for another sentence on standard error.
void pub_report_clear_line(struct pub_report *report);

// Publishes standard input line by line: for --lines each one an event of `topic`, for --ndjson
// (topic NULL) each one an event in JSON. What is there at once goes as one request. A status.
int pub_lines(struct post *post, struct pub_report *report, const struct pub_settings *settings,
              const char *topic);

#endif
