// Standard input, line by line, as NDJSON. A batch is what is there at once, within bounds: a line
// that comes alone goes at once, and a file goes in large pieces. It refuses lines that are not
// UTF-8 and lines too long to hold.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <freshet/event.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/cmd_pub.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/stop.h"

enum {
    CHUNK = 64 * 1024,
    LINE_MAX_BYTES = 16 << 20,
    BATCH_BYTES = 256 * 1024,
    BATCH_EVENTS = 1000
};

struct batcher {
    struct post *post;
    struct pub_report *report;
    const struct pub_settings *settings;
    const char *topic; // NULL: the lines are JSON already
    struct buf input;  // what was read and not yet taken
    size_t scanned;    // of it, for a line's end
    struct buf batch;
    uint64_t in_batch, lines, first; // lines: taken so far; first: number of the batch's first
};

static int append_member(struct buf *out, const char *name, const char *text) {
    int rc = text ? buf_printf(out, ",\"%s\":", name) : 0;
    return rc || !text ? rc : json_append_string(out, bytes_of(text));
}

static int append_event(struct batcher *batcher, struct bytes line) {
    struct buf *out = &batcher->batch;
    if (!batcher->topic) {
        int rc = buf_append(out, line.at, line.len);
        return rc ? rc : buf_append_text(out, "\n");
    }
    int rc = buf_append_text(out, "{\"topic\":");
    rc = rc ? rc : json_append_string(out, bytes_of(batcher->topic));
    rc = rc ? rc : append_member(out, "event", batcher->settings->event);
    rc = rc ? rc : append_member(out, "key", batcher->settings->key);
    if (rc == 0 && batcher->settings->retry) {
        rc = buf_printf(out, ",\"retry\":%lld", (long long)batcher->settings->retry);
    }
    rc = rc ? rc : buf_append_text(out, ",\"data\":");
    rc = rc ? rc : json_append_string(out, line);
    return rc ? rc : buf_append_text(out, "}\n");
}

static int fail(struct batcher *batcher, const char *why) {
    pub_report_clear_line(batcher->report);
    output_say(batcher->report->program, "line %llu %s", (unsigned long long)batcher->lines, why);
    return ERR_INVALID;
}

static int send_batch(struct batcher *batcher) {
    if (batcher->in_batch == 0) {
        return 0;
    }
    int rc = post_send(batcher->post, buf_bytes(&batcher->batch));
    if (rc) {
        pub_report_clear_line(batcher->report);
        output_say(batcher->report->program, "lines %llu to %llu: %s",
                   (unsigned long long)batcher->first, (unsigned long long)batcher->lines,
                   post_reason(batcher->post));
        return rc;
    }
    pub_report_answer(batcher->report, post_answer(batcher->post), batcher->first);
    pub_report_progress(batcher->report, batcher->batch.len);
    buf_clear(&batcher->batch);
    batcher->in_batch = 0;
    return 0;
}

static int take_line(struct batcher *batcher, struct bytes line) {
    if (line.len && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    bool full = batcher->in_batch >= BATCH_EVENTS || batcher->batch.len + line.len > BATCH_BYTES;
    int rc = full ? send_batch(batcher) : 0;
    batcher->lines++;
    if (rc || (!batcher->topic && bytes_trim(line).len == 0)) {
        return rc;
    }
    struct freshet_text text = {.at = line.at, .len = line.len};
    if (freshet_utf8_check(text) != line.len) {
        rc = send_batch(batcher);
        return rc ? rc : fail(batcher, "is not valid UTF-8");
    }
    if (batcher->in_batch == 0) {
        batcher->first = batcher->lines;
    }
    if (append_event(batcher, line) != 0) {
        return fail(batcher, "does not fit into memory");
    }
    batcher->in_batch++;
    return 0;
}

// Every line of the input that is whole; at the end of the input also the one that is not.
static int take_lines(struct batcher *batcher, bool at_end) {
    struct buf *input = &batcher->input;
    size_t taken = 0;
    int rc = 0;
    while (rc == 0) {
        const char *end = batcher->scanned < input->len ? memchr(input->at + batcher->scanned, '\n',
                                                                 input->len - batcher->scanned)
                                                        : NULL;
        size_t stop = end ? (size_t)(end - input->at) : input->len;
        if (!end && (!at_end || taken == input->len)) {
            break;
        }
        rc = take_line(batcher, bytes_make(input->at + taken, stop - taken));
        taken = batcher->scanned = end ? stop + 1 : stop;
    }
    buf_consume(input, taken);
    batcher->scanned = input->len;
    return rc;
}

// 1 when there is something to read, 0 when there is nothing now, ERR_GONE for a signal.
static int wait_for_input(int timeout) {
    struct pollfd ready[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = stop_fd(), .events = POLLIN}};
    while (poll(ready, 2, timeout) < 0 && errno == EINTR && !stop_asked()) {
    }
    return stop_asked() ? ERR_GONE : ready[0].revents != 0;
}

// The bytes read, 0 at the end of the input, or an error after saying why.
static int read_some(struct batcher *batcher) {
    int rc = buf_reserve(&batcher->input, CHUNK);
    if (rc) {
        batcher->lines++;
        return fail(batcher,
                    rc == ERR_TOO_LARGE ? "is longer than 16 MiB" : "does not fit into memory");
    }
    ssize_t got = read(STDIN_FILENO, batcher->input.at + batcher->input.len, CHUNK);
    if (got < 0) {
        output_say(batcher->report->program, "cannot read the input: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    batcher->input.len += (size_t)got;
    return (int)got;
}

static int pump(struct batcher *batcher) {
    for (;;) {
        int ready = wait_for_input(0);
        int rc = ready == 0 ? send_batch(batcher) : 0;
        ready = ready == 0 && rc == 0 ? wait_for_input(-1) : ready;
        if (rc || ready < 0) {
            return rc ? rc : ready;
        }
        int got = read_some(batcher);
        rc = got < 0 ? got : take_lines(batcher, got == 0);
        if (rc || got == 0) {
            return rc ? rc : send_batch(batcher);
        }
    }
}

int pub_lines(struct post *post, struct pub_report *report, const struct pub_settings *settings,
              const char *topic) {
    struct batcher batcher = {.post = post, .report = report, .settings = settings, .topic = topic};
    buf_init(&batcher.input, &mem_libc, LINE_MAX_BYTES + CHUNK);
    buf_init(&batcher.batch, &mem_libc, 0);
    int rc = pump(&batcher);
    buf_finish(&batcher.input);
    buf_finish(&batcher.batch);
    return rc || report->failed ? STATUS_FAILED : STATUS_OK;
}
