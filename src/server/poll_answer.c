// Composing the answer to a poll. The events come with a comma in front of each; the first comma
// becomes the opening bracket, so shared bytes are used as they are. The tag is made from the bytes
// and the cursor alone: two servers that have the same events give the same tag, whenever they are
// asked.
#include "server/poll_answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "http/etag.h"
#include "server/caching.h"
#include "server/compression.h"
#include "server/next_page.h"
#include "server/worker.h"

static const char OPENING[] = "{\"events\":", LAST[] = "]";
static const char CLOSING[] = "],\"next\":\"\",\"more\":false}"; // and an id

enum { ETAG_MAX = ID_TEXT_MAX + 24 };

void poll_answer_init(struct poll_answer *answer) {
    *answer = (struct poll_answer){0};
    buf_init(&answer->body, &mem_libc, 0);
    buf_init(&answer->link, &mem_libc, 0);
    buf_init(&answer->known, &mem_libc, 0);
}

int poll_answer_begin(struct poll_answer *answer, const struct poll_form *form) {
    answer->envelope = form->envelope;
    answer->gzip = form->gzip;
    answer->waits = form->waits;
    answer->placed = form->placed;
    answer->personal = form->personal;
    int rc = buf_append_text(&answer->link, "<");
    rc = rc ? rc : next_page_of_snapshot(form->query, form->snapshot, &answer->link);
    if (rc == 0 && form->envelope) {
        rc = buf_append_text(&answer->body, OPENING);
    }
    if (rc == 0 && form->known.len && form->known.len <= POLL_KNOWN_MAX) {
        rc = buf_append(&answer->known, form->known.at, form->known.len);
    }
    answer->start = answer->body.len;
    return rc;
}

void poll_answer_finish(struct poll_answer *answer) {
    buf_finish(&answer->body);
    buf_finish(&answer->link);
    buf_finish(&answer->known);
}

size_t poll_answer_frame(const struct poll_answer *answer) {
    return answer->envelope ? strlen(OPENING) + strlen(CLOSING) + ID_TEXT_MAX : strlen("[]");
}

static bool is_empty(const struct poll_answer *answer) {
    return answer->body.len == answer->start;
}

static int close_body(struct poll_answer *answer, struct bytes cursor, bool more) {
    struct buf *body = &answer->body;
    int rc = is_empty(answer) ? buf_append_text(body, "[") : 0;
    if (rc) {
        return rc;
    }
    body->at[answer->start] = '[';
    if (!answer->envelope) {
        return buf_append_text(body, LAST);
    }
    return buf_printf(body, "],\"next\":\"%.*s\",\"more\":%s}", (int)cursor.len, cursor.at,
                      more ? "true" : "false");
}

static int complete_link(struct poll_answer *answer, struct bytes cursor) {
    int rc = buf_append(&answer->link, cursor.at, cursor.len);
    return rc ? rc : buf_append_text(&answer->link, ">; rel=\"next\"");
}

// The tags of an answer as it is and packed, because they are not the same bytes.
struct tags {
    char plain[ETAG_MAX], packed[ETAG_MAX];
};

// The key is no secret, so that every server makes the same of the same. Whoever could make two
// answers of one tag would have to publish both behind the same cursor, up to the same id.
static void make_tags(const struct poll_answer *answer, struct bytes cursor, struct tags *tags) {
    static const struct hash_key key = {0};
    uint64_t hash = hash_bytes(&key, answer->body.at, answer->body.len);
    int len = (int)cursor.len;
    snprintf(tags->plain, ETAG_MAX, "\"%.*s-%016" PRIx64 "\"", len, cursor.at, hash);
    snprintf(tags->packed, ETAG_MAX, "\"%.*s-%016" PRIx64 "-gz\"", len, cursor.at, hash);
}

// Gives the reply its status and its body, which may lie in `packed`, and returns its tag.
static const char *set_body(const struct poll_answer *answer, struct worker *worker,
                            const struct tags *tags, struct reply *reply, struct buf *packed) {
    struct bytes known = buf_bytes(&answer->known);
    if (http_etag_listed(known, bytes_of(tags->plain))) {
        reply->status = 304;
        return tags->plain;
    }
    if (answer->gzip && http_etag_listed(known, bytes_of(tags->packed))) {
        reply->status = 304;
        return tags->packed;
    }
    reply->status = 200;
    reply->type = "application/json";
    reply->body = buf_bytes(&answer->body);
    if (answer->gzip) {
        compression_apply(worker, reply, packed);
    }
    return reply->body.at == answer->body.at ? tags->plain : tags->packed;
}

static void send_reply(struct poll_answer *answer, struct exchange *exchange, struct bytes cursor,
                       bool empty, bool link) {
    char control[CACHING_TEXT_MAX];
    struct worker *worker = exchange->worker;
    struct tags tags;
    struct buf packed;
    struct caching caching = {.placed = answer->placed,
                              .personal = answer->personal,
                              .gap = answer->gap,
                              .empty = empty,
                              .age_ms = worker->server->settings->cache_age_ms};
    struct reply reply = {0};
    buf_init(&packed, &mem_libc, 0);
    make_tags(answer, cursor, &tags);
    const char *etag = set_body(answer, worker, &tags, &reply, &packed);
    reply_add(&reply, "Cache-Control", bytes_of(caching_control(&caching, control)));
    // The header of that name wins over the URL.
    reply_add(&reply, "Vary", bytes_of("Last-Event-ID"));
    if (worker->server->access.on) {
        // Who shows a token may get more than what a cache has of those who show none.
        reply_add(&reply, "Vary", bytes_of("Authorization, Cookie"));
    }
    compression_add_vary(worker->server->settings, &reply);
    reply_add(&reply, "ETag", bytes_of(etag));
    reply_add(&reply, "Last-Event-ID", cursor);
    if (link) {
        reply_add(&reply, "Link", buf_bytes(&answer->link));
    }
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
    buf_finish(&packed);
}

void poll_answer_send(struct poll_answer *answer, struct exchange *exchange, event_id cursor,
                      bool more) {
    char text[ID_TEXT_MAX];
    struct bytes id = bytes_make(text, id_format(cursor, text));
    bool empty = is_empty(answer), link = more || answer->waits;
    int rc = close_body(answer, id, more);
    if (rc == 0 && link) {
        rc = complete_link(answer, id);
    }
    if (rc) {
        exchange_refuse(exchange, rc);
    } else {
        send_reply(answer, exchange, id, empty, link);
    }
}
