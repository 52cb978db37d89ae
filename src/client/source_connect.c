// One connection of a source: the request with its redirects, what the answer means, and the stream
// into the parser. Credentials stay with the origin that they were given for, for good: a redirect
// that leaves it and comes back could ask for anything.
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/answer.h"
#include "client/source_private.h"
#include "client/url.h"

enum { ID_HEADER_MAX = 4200, HEADERS_MAX = 66 };

static int on_head(void *user_data, const struct transfer_head *head) {
    struct source *source = user_data;
    source->status = head->status;
    source->verdict = policy_status(head->status);
    if (source->verdict == POLICY_RETRY) {
        source->retry_after = policy_retry_after(head->retry_after, clock_wall_ms());
    }
    if (source->verdict != POLICY_GOOD) {
        return 0;
    }
    if (!policy_is_event_stream(head->content_type)) {
        source->verdict = POLICY_FAIL;
        source_say(source, SOURCE_HOPELESS,
                   "the answer is \"%.*s\", not text/event-stream; is this the URL of a stream?",
                   (int)head->content_type.len, head->content_type.at);
        return -1;
    }
    source->opened = true;
    source->opened_at = clock_mono_ms();
    source_note(source, SOURCE_OPENED, source->url.at);
    return 0;
}

static int on_body(void *user_data, struct bytes bytes) {
    struct source *source = user_data;
    if (!source->opened) {
        // What does not fit is not needed to say what went wrong, but a body without end is no
        // answer.
        return buf_append(&source->error_body, bytes.at, bytes.len);
    }
    if (source->settings.on_bytes &&
        source->settings.on_bytes(source->settings.user_data, bytes) != 0) {
        source->stopped = true;
        return -1;
    }
    source->parser_error = freshet_parser_feed(source->parser, bytes.at, bytes.len);
    return source->parser_error;
}

// The settings' headers and the two of every event stream.
struct headers {
    const char *lines[HEADERS_MAX];
    char id[ID_HEADER_MAX];
};

static void fill_headers(struct source *source, struct headers *headers, bool trusted) {
    const char *const *given = source->settings.headers;
    struct freshet_text id = freshet_parser_last_id(source->parser);
    size_t n = 0;
    headers->lines[n++] = "Accept: text/event-stream";
    headers->lines[n++] = "Cache-Control: no-cache";
    if (policy_id_fits_header(bytes_make(id.at, id.len))) {
        snprintf(headers->id, sizeof(headers->id), "Last-Event-ID: %.*s", (int)id.len, id.at);
        headers->lines[n++] = headers->id;
    } else if (id.len) {
        source_note(source, SOURCE_WARNING,
                    "the last event ID cannot be sent in a header; events may be missed");
    }
    for (size_t i = 0; trusted && given && given[i] && n < HEADERS_MAX - 1; i++) {
        headers->lines[n++] = given[i];
    }
    headers->lines[n] = NULL;
}

static enum transfer_end ask(struct source *source, bool trusted) {
    struct headers headers;
    const struct source_settings *settings = &source->settings;
    fill_headers(source, &headers, trusted);
    buf_clear(&source->error_body);
    freshet_parser_reset(source->parser);
    source->opened = source->got_event = false;
    source->parser_error = 0;
    source->retry_after = -1;
    source->status = 0;
    struct transfer_request request = {
        .url = source->url.at,
        .user = trusted ? source->user.at : NULL,
        .password = trusted ? source->password.at : NULL,
        .headers = headers.lines,
        .upload_fd = -1,
        .stop_fd = settings->stop_fd,
        .connect_timeout_ms = settings->connect_timeout_ms,
        .idle_timeout_ms = settings->read_timeout_ms,
        .on_head = on_head,
        .on_body = on_body,
        .user_data = source,
    };
    return transfer_run(source->transfer, &request);
}

static enum source_outcome judge_answer(struct source *source) {
    char detail[400] = "";
    if (source->verdict == POLICY_DONE) {
        return SOURCE_FINISHED;
    }
    answer_detail(source->settings.mem, buf_bytes(&source->error_body), detail, sizeof(detail));
    bool again = source->verdict == POLICY_RETRY ||
                 (source->settings.retry_refused && source->status >= 400 && source->status < 500);
    return source_say(source, again ? SOURCE_AGAIN : SOURCE_HOPELESS, "the server says %ld%s%s",
                      source->status, *detail ? ": " : "", detail);
}

static enum source_outcome judge_cut(struct source *source) {
    if (source->stopped) {
        return SOURCE_HALTED;
    }
    if (source->parser_error == FRESHET_ERR_TOO_LARGE) {
        return source_say(source, SOURCE_HOPELESS, "the stream has an event larger than %zu bytes",
                          source->settings.max_event);
    }
    if (source->parser_error) {
        return source_say(source, SOURCE_HOPELESS, "the stream cannot be read: %s",
                          freshet_strerror(source->parser_error));
    }
    // Either on_head has said why, or the body of an error was too long to read on.
    return source->verdict == POLICY_GOOD || source->error_body.len == 0 ? SOURCE_HOPELESS
                                                                         : judge_answer(source);
}

static enum source_outcome judge(struct source *source, enum transfer_end end) {
    switch (end) {
    case TRANSFER_STOPPED:
        return SOURCE_HALTED;
    case TRANSFER_CUT:
        return judge_cut(source);
    case TRANSFER_REFUSED:
        return source_say(source, SOURCE_HOPELESS, "%s", transfer_reason(source->transfer));
    case TRANSFER_BROKEN:
        return source_say(source, SOURCE_AGAIN, "%s", transfer_reason(source->transfer));
    case TRANSFER_DONE:
        break;
    }
    return source->opened ? source_say(source, SOURCE_AGAIN, "the stream ended")
                          : judge_answer(source);
}

static int copy_url(struct buf *to, const char *from) {
    buf_clear(to);
    int rc = buf_append(to, from, strlen(from) + 1);
    to->len -= rc == 0;
    return rc;
}

static int start_url(struct source *source) {
    const char *query = source->settings.first_query;
    int rc = copy_url(&source->url, source->home.at);
    if (rc == 0 && query && freshet_parser_last_id(source->parser).len == 0) {
        rc = buf_printf(&source->url, "%c%s", strchr(source->url.at, '?') ? '&' : '?', query);
    }
    return rc;
}

// Where a connection stands on its way through redirects.
struct way {
    int hops;
    bool trusted;   // every hop kept the origin
    bool permanent; // every hop was to be remembered
};

static enum source_outcome take_redirect(struct source *source, struct way *way) {
    const char *next = transfer_location(source->transfer);
    if (!next || !url_is_http(next)) {
        return source_say(source, SOURCE_HOPELESS,
                          "the server redirects (%ld) to no http or https URL", source->status);
    }
    if (++way->hops > SOURCE_REDIRECTS_MAX) {
        return source_say(source, SOURCE_HOPELESS, "there are more than %d redirects",
                          SOURCE_REDIRECTS_MAX);
    }
    if (url_is_https(source->url.at) && !url_is_https(next)) {
        return source_say(source, SOURCE_HOPELESS,
                          "the server redirects from https to http, where anybody could listen");
    }
    way->trusted = way->trusted && url_same_origin(source->url.at, next);
    way->permanent = way->permanent && policy_permanent(source->status);
    int rc = copy_url(&source->url, next);
    if (rc == 0 && way->permanent) {
        rc = copy_url(&source->home, next);
        source->home_trusted = way->trusted;
    }
    return rc ? source_say(source, SOURCE_HOPELESS, "the redirect is too long") : SOURCE_AGAIN;
}

enum source_outcome source_connect(struct source *source) {
    struct way way = {.trusted = source->home_trusted};
    if (start_url(source) != 0) {
        return source_say(source, SOURCE_HOPELESS, "the URL is too long");
    }
    // A target that has the first query in it must not get it twice.
    way.permanent = strcmp(source->url.at, source->home.at) == 0;
    for (;;) {
        enum transfer_end end = ask(source, way.trusted);
        if (end != TRANSFER_DONE || source->verdict != POLICY_REDIRECT) {
            return judge(source, end);
        }
        enum source_outcome outcome = take_redirect(source, &way);
        if (outcome != SOURCE_AGAIN) {
            return outcome;
        }
    }
}
