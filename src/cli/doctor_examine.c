// Each step waits for one thing, for at most the plan's time, and writes down whether it came. The
// first listener stays until all that it takes one for is done.
#include "cli/doctor_examine.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/doctor_listener.h"
#include "client/answer.h"
#include "client/policy.h"
#include "client/url.h"

enum {
    SINGLES = 3,       // events published one by one
    PUSHES = 72,       // events published to push out what somebody holds back
    SMALL_PUSHES = 24, // the first of those are small, to tell about how much it holds
    SMALL_BYTES = 1024,
    LARGE_BYTES = 6 * 1024,
    SINGLE_BYTES = 64,
    PUSH_WAIT_MS = 25,
    ERROR_BODY_MAX = 16 * 1024,
};

struct examination {
    const struct doctor_plan *plan;
    struct probe *probe;
    struct doctor_path *path;
    struct doctor_listener first;
    unsigned next; // the number of the next event
    const char *doing;
    int64_t told;
    int rc; // what ended it: ERR_GONE, ERR_NOMEM
};

static void tell(struct examination *exam, int64_t now) {
    if (exam->plan->on_progress && now - exam->told >= 1000) {
        exam->told = now;
        exam->plan->on_progress(exam->plan->user_data, exam->doing);
    }
}

typedef bool condition(const struct doctor_listener *listener, unsigned number);

static bool has_head(const struct doctor_listener *listener, unsigned number) {
    const struct probe_answer *answer = inquiry_answer(listener->inquiry);
    return answer->head_at || answer->ended;
}

static bool has_bytes(const struct doctor_listener *listener, unsigned number) {
    return listener->first_byte || inquiry_answer(listener->inquiry)->ended;
}

static bool has_event(const struct doctor_listener *listener, unsigned number) {
    return listener->came[number] || inquiry_answer(listener->inquiry)->ended;
}

static bool has_ended(const struct doctor_listener *listener, unsigned number) {
    return inquiry_answer(listener->inquiry)->ended;
}

// Waits for so long at most; whether the condition holds.
static bool await(struct examination *exam, int64_t ms, condition *holds,
                  const struct doctor_listener *listener, unsigned number) {
    int64_t until = clock_mono_ms() + ms;
    while (!exam->rc && !holds(listener, number)) {
        int64_t now = clock_mono_ms();
        tell(exam, now);
        if (now >= until) {
            return false;
        }
        exam->rc = probe_wait(exam->probe, until) ? 0 : ERR_GONE;
    }
    return !exam->rc;
}

// The plan's headers and one more, or NULL.
static void join_headers(const struct doctor_plan *plan, const char *more,
                         const char *out[DOCTOR_HEADERS_MAX]) {
    size_t n = 0;
    out[n++] = "Accept: text/event-stream";
    out[n++] = "Cache-Control: no-cache"; // as browsers do for an EventSource
    for (size_t i = 0; plan->headers && plan->headers[i] && n < DOCTOR_HEADERS_MAX - 2; i++) {
        out[n++] = plan->headers[i];
    }
    if (more) {
        out[n++] = more;
    }
    out[n] = NULL;
}

static bool listen_to(struct examination *exam, struct doctor_listener *listener, const char *url,
                      const char *more, bool decode) {
    const char *headers[DOCTOR_HEADERS_MAX];
    if (exam->rc) {
        return false;
    }
    join_headers(exam->plan, more, headers);
    // Shorter than the wait, so that who cannot be reached is told from who says nothing.
    exam->rc =
        listener_begin(listener, exam->probe, url, headers, decode, exam->plan->timeout_ms * 3 / 4);
    return exam->rc == 0;
}

static void keep_reason(char out[DOCTOR_REASON_MAX], const char *reason) {
    snprintf(out, DOCTOR_REASON_MAX, "%s", reason);
}

// --- publishing -------------------------------------------------------------------------------

static void on_error_body(void *user_data, struct bytes bytes) {
    struct buf *body = user_data;
    if (body->len < ERROR_BODY_MAX) {
        (void)buf_append(body, bytes.at, bytes.len);
    }
}

static void explain_refusal(struct doctor_path *path, const struct probe_answer *answer,
                            struct bytes body) {
    char detail[DOCTOR_REASON_MAX / 2] = "";
    answer_detail(&mem_libc, body, detail, sizeof(detail));
    if (answer->broken || !answer->status) {
        keep_reason(path->publish_reason, answer->ended ? answer->reason : "no answer came");
        return;
    }
    snprintf(path->publish_reason, DOCTOR_REASON_MAX, "publishing is answered with %ld%s%s",
             answer->status, *detail ? ": " : "", detail);
}

static bool await_answer(struct examination *exam, struct inquiry *inquiry) {
    int64_t until = clock_mono_ms() + exam->plan->timeout_ms;
    while (!exam->rc && !inquiry_answer(inquiry)->ended && clock_mono_ms() < until) {
        tell(exam, clock_mono_ms());
        exam->rc = probe_wait(exam->probe, until) ? 0 : ERR_GONE;
    }
    return !exam->rc && inquiry_answer(inquiry)->ended;
}

static bool post(struct examination *exam, struct bytes data) {
    struct doctor_path *path = exam->path;
    const char *headers[DOCTOR_HEADERS_MAX] = {"Content-Type: text/plain", "Expect:"};
    struct inquiry *inquiry;
    struct buf body;
    size_t n = 2;
    const char *const *given = exam->plan->publish_headers;
    for (size_t i = 0; given && given[i] && n < DOCTOR_HEADERS_MAX - 1; i++) {
        headers[n++] = given[i];
    }
    buf_init(&body, &mem_libc, 0);
    struct probe_request request = {.url = exam->plan->publish_url,
                                    .method = "POST",
                                    .headers = headers,
                                    .body = data,
                                    .connect_timeout_ms = exam->plan->timeout_ms,
                                    .on_body = on_error_body,
                                    .user_data = &body};
    exam->rc = inquiry_begin(&inquiry, exam->probe, &request);
    if (exam->rc) {
        return false;
    }
    await_answer(exam, inquiry);
    const struct probe_answer *answer = inquiry_answer(inquiry);
    path->publish_status = answer->status;
    bool accepted = !answer->broken && answer->status >= 200 && answer->status <= 299;
    if (!accepted) {
        explain_refusal(path, answer, buf_bytes(&body));
    }
    path->published |= accepted;
    inquiry_end(&inquiry);
    buf_finish(&body);
    return accepted && !exam->rc;
}

// Publishes the next event; its number, or -1.
static int publish(struct examination *exam, size_t len) {
    struct buf data;
    if (exam->rc || !exam->plan->publish_url || exam->next == DOCTOR_EVENTS_MAX) {
        return -1;
    }
    unsigned number = exam->next++;
    buf_init(&data, &mem_libc, 0);
    exam->rc = doctor_event_data(&data, number, len, exam->plan->seed);
    bool accepted = !exam->rc && post(exam, buf_bytes(&data));
    buf_finish(&data);
    return accepted ? (int)number : -1;
}

// --- the steps --------------------------------------------------------------------------------

// False when there is nothing more to look at.
static bool meet(struct examination *exam) {
    struct doctor_path *path = exam->path;
    exam->doing = "waiting for the stream to begin";
    path->https = url_is_https(exam->plan->listen_url);
    path->waited_ms = exam->plan->timeout_ms;
    if (!listen_to(exam, &exam->first, exam->plan->listen_url, NULL, true)) {
        return false;
    }
    await(exam, exam->plan->timeout_ms, has_head, &exam->first, 0);
    const struct probe_answer *answer = inquiry_answer(exam->first.inquiry);
    path->reached = answer->status != 0 || !answer->ended;
    path->untrusted = answer->untrusted;
    keep_reason(path->reason, answer->broken ? answer->reason : "the connection was closed");
    if (answer->head_at) {
        await(exam, exam->plan->timeout_ms, has_bytes, &exam->first, 0);
    }
    struct bytes type = probe_field(buf_bytes(&answer->head), "content-type");
    bool stream = answer->status == 200 && policy_is_event_stream(type);
    return !exam->rc && path->reached && (stream || answer->status == 0);
}

// What may have come late is written down at the end.
static void note_first(struct examination *exam) {
    struct doctor_path *path = exam->path;
    const struct probe_answer *answer = inquiry_answer(exam->first.inquiry);
    path->status = answer->status;
    path->version = answer->version;
    path->garbled = exam->first.garbled;
    path->head_ms = answer->head_at ? answer->head_at - answer->begun : -1;
    path->first_byte_ms =
        exam->first.first_byte && answer->head_at ? exam->first.first_byte - answer->head_at : -1;
    buf_clear(&path->head);
    int rc = buf_append(&path->head, answer->head.at, answer->head.len);
    exam->rc = exam->rc ? exam->rc : rc;
    if (answer->ended && answer->status == 200) {
        int64_t last = exam->first.last_byte ? exam->first.last_byte : answer->begun;
        path->cut = true;
        path->silence_ms = answer->ended_at - last;
        path->lived_ms = answer->ended_at - answer->begun;
        keep_reason(path->cut_reason, answer->reason);
    }
}

// Whether every event came by itself.
static bool publish_singles(struct examination *exam) {
    struct doctor_path *path = exam->path;
    exam->doing = "publishing events, one by one";
    for (unsigned i = 0; i < SINGLES; i++) {
        int number = publish(exam, SINGLE_BYTES);
        int64_t posted = clock_mono_ms();
        if (number < 0) {
            return false;
        }
        path->sent++;
        if (!await(exam, exam->plan->timeout_ms, has_event, &exam->first, (unsigned)number) ||
            !exam->first.came[number]) {
            return false;
        }
        int64_t late = exam->first.came[number] - posted;
        path->late_ms = late > path->late_ms ? late : path->late_ms;
        path->came++;
    }
    return true;
}

// Publishes more and more until something comes.
static void push(struct examination *exam) {
    struct doctor_path *path = exam->path;
    unsigned missing = exam->next - 1;
    exam->doing = "publishing more, to push out what somebody holds back";
    for (unsigned i = 0; i < PUSHES && !exam->rc; i++) {
        size_t len = i < SMALL_PUSHES ? SMALL_BYTES : LARGE_BYTES;
        if (publish(exam, len) < 0) {
            break;
        }
        path->pushed_bytes += len;
        bool last = i == PUSHES - 1;
        if (await(exam, last ? exam->plan->timeout_ms : PUSH_WAIT_MS, has_event, &exam->first,
                  missing)) {
            break;
        }
    }
    path->pushed = exam->first.came[missing] != 0;
    path->nothing = !path->pushed;
}

// Whether an event comes when nobody may compress.
static void try_plain(struct examination *exam) {
    struct doctor_listener plain = {0};
    exam->doing = "trying without compression";
    if (listen_to(exam, &plain, exam->plan->listen_url, "Accept-Encoding: identity", false)) {
        await(exam, exam->plan->timeout_ms, has_bytes, &plain, 0);
        int number = publish(exam, SINGLE_BYTES);
        if (number >= 0) {
            await(exam, exam->plan->timeout_ms, has_event, &plain, (unsigned)number);
            exam->path->plain = plain.came[number] ? DOCTOR_YES : DOCTOR_NO;
        }
    }
    listener_end(&plain);
}

static enum doctor_second judge_second(struct examination *exam,
                                       const struct doctor_listener *second, unsigned since) {
    const struct probe_answer *answer = inquiry_answer(second->inquiry);
    if (!answer->head_at) {
        return SECOND_HELD_BACK;
    }
    exam->path->second_status = answer->status;
    if (answer->status != 200) {
        return SECOND_REFUSED;
    }
    int number = publish(exam, SINGLE_BYTES);
    if (number < 0) {
        return SECOND_UNKNOWN;
    }
    await(exam, exam->plan->timeout_ms, has_event, second, (unsigned)number);
    if (!exam->plan->asks_past && listener_has_before(second, since)) {
        return SECOND_STALE;
    }
    return second->came[number] ? SECOND_FINE : SECOND_MISSED;
}

static void try_second(struct examination *exam) {
    struct doctor_listener second = {0};
    unsigned since = exam->next;
    exam->doing = "listening a second time";
    if (listen_to(exam, &second, exam->plan->listen_url, NULL, true)) {
        await(exam, exam->plan->timeout_ms, has_head, &second, 0);
        exam->path->second = judge_second(exam, &second, since);
    }
    listener_end(&second);
}

// Comes back after event 0, by this URL and header: whether event 1 comes, and event 0 does not.
static enum doctor_answer try_return(struct examination *exam, const char *url,
                                     const char *header) {
    struct doctor_listener back = {0};
    enum doctor_answer answer = DOCTOR_UNKNOWN;
    if (listen_to(exam, &back, url, header, true)) {
        await(exam, exam->plan->timeout_ms, has_event, &back, 1);
        answer = back.came[1] && !back.came[0] ? DOCTOR_YES : DOCTOR_NO;
    }
    listener_end(&back);
    return exam->rc ? DOCTOR_UNKNOWN : answer;
}

static void try_resuming(struct examination *exam) {
    const char *id = exam->first.first_id;
    char header[DOCTOR_ID_MAX + 32];
    struct buf url;
    exam->doing = "coming back after a break";
    if (!policy_id_fits_header(bytes_of(id))) {
        return;
    }
    snprintf(header, sizeof(header), "Last-Event-ID: %s", id);
    exam->path->resumes = try_return(exam, exam->plan->listen_url, header);
    buf_init(&url, &mem_libc, 0);
    int rc = buf_append_text(&url, exam->plan->listen_url);
    rc = rc ? rc : url_add_parameter(&url, "last_event_id", bytes_of(id));
    if (rc) {
        exam->rc = rc;
    } else if (!exam->rc) {
        exam->path->resumes_by_query = try_return(exam, url.at, NULL);
    }
    buf_finish(&url);
}

static bool allows(const struct probe_answer *answer, const char *origin) {
    struct bytes allowed = probe_field(buf_bytes(&answer->head), "access-control-allow-origin");
    return bytes_is(allowed, "*") || bytes_is(allowed, origin);
}

static void try_preflight(struct examination *exam, const char *origin_header) {
    const char *headers[] = {origin_header, "Access-Control-Request-Method: GET",
                             "Access-Control-Request-Headers: last-event-id", NULL};
    struct probe_request request = {.url = exam->plan->listen_url,
                                    .method = "OPTIONS",
                                    .headers = headers,
                                    .connect_timeout_ms = exam->plan->timeout_ms};
    struct inquiry *inquiry;
    exam->rc = inquiry_begin(&inquiry, exam->probe, &request);
    if (exam->rc) {
        return;
    }
    await_answer(exam, inquiry);
    const struct probe_answer *answer = inquiry_answer(inquiry);
    struct bytes fields = probe_field(buf_bytes(&answer->head), "access-control-allow-headers");
    bool good = answer->status >= 200 && answer->status <= 299 &&
                allows(answer, exam->plan->origin) && fields.len;
    exam->path->preflight_status = answer->status;
    exam->path->preflight_allowed = good ? DOCTOR_YES : DOCTOR_NO;
    inquiry_end(&inquiry);
}

static void try_origin(struct examination *exam) {
    char header[DOCTOR_REASON_MAX + 16];
    struct doctor_listener page = {0};
    struct doctor_path *path = exam->path;
    exam->doing = "listening as a page of another origin";
    keep_reason(path->origin, exam->plan->origin);
    path->origin_chosen = exam->plan->origin_chosen;
    snprintf(header, sizeof(header), "Origin: %s", path->origin);
    if (listen_to(exam, &page, exam->plan->listen_url, header, true)) {
        await(exam, exam->plan->timeout_ms, has_head, &page, 0);
        const struct probe_answer *answer = inquiry_answer(page.inquiry);
        path->origin_status = answer->status;
        path->origin_allowed = allows(answer, path->origin) ? DOCTOR_YES : DOCTOR_NO;
    }
    listener_end(&page);
    if (!exam->rc && path->origin_allowed == DOCTOR_YES) {
        try_preflight(exam, header);
    }
}

static void leave_alone(struct examination *exam) {
    struct doctor_path *path = exam->path;
    int64_t begun = clock_mono_ms();
    uint64_t before = exam->first.comments;
    exam->doing = "leaving a stream alone";
    if (exam->plan->idle_ms == 0 || has_ended(&exam->first, 0)) {
        return;
    }
    await(exam, exam->plan->idle_ms, has_ended, &exam->first, 0);
    path->watched_ms = clock_mono_ms() - begun;
    path->heartbeats = exam->first.comments - before;
    if (exam->rc || has_ended(&exam->first, 0) || !path->published || path->pushed ||
        path->nothing) {
        return;
    }
    int number = publish(exam, SINGLE_BYTES);
    if (number >= 0) {
        await(exam, exam->plan->timeout_ms, has_event, &exam->first, (unsigned)number);
        path->after_idle = exam->first.came[number] ? DOCTOR_YES : DOCTOR_NO;
    }
}

static void try_publishing(struct examination *exam) {
    struct doctor_path *path = exam->path;
    if (publish_singles(exam)) {
        try_second(exam);
        return;
    }
    // Held back, rather than refused or cut.
    if (exam->rc || path->came == path->sent || has_ended(&exam->first, 0)) {
        return;
    }
    push(exam);
    if (probe_field(buf_bytes(&inquiry_answer(exam->first.inquiry)->head), "content-encoding")
            .len) {
        try_plain(exam);
    }
}

int doctor_examine(struct probe *probe, const struct doctor_plan *plan, struct doctor_path *path) {
    struct examination exam = {.plan = plan, .probe = probe, .path = path};
    bool going_on = meet(&exam);
    if (!plan->publish_url) {
        keep_reason(path->publish_reason, "it is not known where, or not wanted");
    } else if (going_on) {
        try_publishing(&exam);
    }
    if (going_on && !exam.rc) {
        try_origin(&exam);
    }
    if (going_on && !exam.rc) {
        leave_alone(&exam);
    }
    if (exam.first.inquiry) {
        note_first(&exam);
    }
    listener_end(&exam.first);
    // Only now: while somebody listens, a server may know the past even if it keeps no history.
    if (!exam.rc && path->came == SINGLES) {
        try_resuming(&exam);
    }
    return exam.rc;
}
