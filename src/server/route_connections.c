// GET /api/connections: who listens to what, since when, how far behind; oldest first, a page at a
// time.
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "server/gather.h"
#include "server/page.h"
#include "server/routes.h"
#include "server/stream.h"
#include "server/worker.h"

struct row {
    uint64_t number;
    char *text; // the object, as JSON; owned
};

struct connections_gather {
    struct gather gather;
    size_t limit, count, total;
    uint64_t after;
    struct bytes topic; // only listeners of this one; owned
    struct row *rows;   // sorted by number; room for limit + 1
    bool more, failed;
};

static int append_selection(struct buf *out, const struct selection *selection) {
    int rc = buf_append_text(out, ",\"topics\":[");
    for (uint32_t i = 0; rc == 0 && i < selection->count; i++) {
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : json_append_string(out, selection->items[i].name.text);
    }
    return rc ? rc : buf_append_text(out, "]");
}

static const char *state_of(const struct subscriber *subscriber) {
    switch (subscriber->state) {
    case SUBSCRIBER_STALLED:
        return "stalled";
    case SUBSCRIBER_BEHIND:
    case SUBSCRIBER_PUT_OFF:
        return "behind";
    default:
        return "live";
    }
}

static const char *representation_of(enum encoding encoding) {
    switch (encoding) {
    case ENCODING_NDJSON:
        return "ndjson";
    case ENCODING_ITEMS:
        return "poll";
    case ENCODING_WS_JSON:
        return "json";
    default:
        return "event-stream";
    }
}

static int append_row(struct buf *out, const struct stream *stream) {
    const struct subscriber *subscriber = &stream->subscriber;
    struct peer peer = stream->ops->peer(stream);
    char address[ADDRESS_TEXT_MAX], since[HTTP_TIME_SIZE], cursor[ID_TEXT_MAX + 1];
    peer_format(&peer, address);
    http_time_format(stream->opened, since);
    cursor[id_format(subscriber->id, cursor)] = '\0';
    int rc = buf_printf(
        out,
        "{\"id\":\"%" PRIu64 "\",\"peer\":\"%s\",\"protocol\":\"%s\",\"since\":\"%s\","
        "\"representation\":\"%s\",\"state\":\"%s\",\"cursor\":\"%s\","
        "\"behind\":%" PRIu64 ",\"behind_ms\":%" PRId64 ",\"worker\":%u",
        stream->number, address, stream->talk ? "ws" : stream->ops->protocol(stream), since,
        representation_of(subscriber->feed->encoding), state_of(subscriber), cursor,
        hub_behind(subscriber), hub_behind_ms(subscriber), stream->worker->index);
    rc = rc ? rc : append_selection(out, subscriber->feed->selection);
    return rc ? rc : buf_append(out, "}", 2); // with a terminator: the row keeps it as a string
}

static void insert(struct connections_gather *g, const struct stream *stream) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    if (append_row(&text, stream)) {
        g->failed = true;
        buf_finish(&text);
        return;
    }
    size_t place = g->count;
    while (place && g->rows[place - 1].number > stream->number) {
        g->rows[place] = g->rows[place - 1];
        place--;
    }
    g->rows[place] = (struct row){.number = stream->number, .text = text.at};
    if (++g->count > g->limit) {
        free(g->rows[--g->count].text);
        g->more = true;
    }
}

static bool wanted(const struct connections_gather *g, const struct stream *stream) {
    const struct feed *feed = stream->subscriber.feed;
    if (!feed || !g->topic.len) {
        return feed != NULL;
    }
    for (uint32_t i = 0; i < feed->selection->count; i++) {
        if (bytes_equal(feed->selection->items[i].name.text, g->topic)) {
            return true;
        }
    }
    return false;
}

static bool ask(struct gather *gather, struct worker *worker) {
    struct connections_gather *g = container_of(gather, struct connections_gather, gather);
    for (struct list *at = worker->streams.next; at != &worker->streams; at = at->next) {
        const struct stream *stream = container_of(at, struct stream, link);
        if (!wanted(g, stream)) {
            continue;
        }
        g->total++;
        bool beyond = g->count == g->limit && stream->number > g->rows[g->count - 1].number;
        g->more |= beyond;
        if (stream->number > g->after && !beyond) {
            insert(g, stream);
        }
    }
    return true;
}

static int write_rows(const struct connections_gather *g, struct buf *out) {
    int rc = buf_printf(out, "{\"total\":%zu,\"connections\":[", g->total);
    for (size_t i = 0; rc == 0 && i < g->count; i++) {
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : buf_append_text(out, g->rows[i].text);
    }
    if (rc) {
        return rc;
    }
    return g->more && g->count
               ? buf_printf(out, "],\"next\":\"%" PRIu64 "\"}", g->rows[g->count - 1].number)
               : buf_append_text(out, "],\"next\":null}");
}

static void answer(struct gather *gather, struct exchange *exchange) {
    struct connections_gather *g = container_of(gather, struct connections_gather, gather);
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    int rc = g->failed ? ERR_NOMEM : write_rows(g, body);
    if (rc) {
        exchange_refuse(exchange, rc);
    } else {
        exchange_answer(exchange, 200, "application/json", buf_bytes(body));
    }
}

static void destroy(struct gather *gather) {
    struct connections_gather *g = container_of(gather, struct connections_gather, gather);
    while (g->count) {
        free(g->rows[--g->count].text);
    }
    free(g->rows);
    free((char *)(uintptr_t)g->topic.at);
    free(g);
}

static const struct gather_ops connections_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int start(struct exchange *exchange, const struct page *page, uint64_t after) {
    struct connections_gather *g = calloc(1, sizeof(*g));
    if (!g) {
        return ERR_NOMEM;
    }
    g->limit = page->limit;
    g->after = after;
    g->rows = calloc(page->limit + 1, sizeof(*g->rows));
    char *topic = malloc(page->filter.len + 1);
    if (topic && page->filter.len) {
        memcpy(topic, page->filter.at, page->filter.len);
    }
    g->topic = bytes_make(topic, page->filter.len);
    if (!g->rows || !topic) {
        destroy(&g->gather);
        return ERR_NOMEM;
    }
    gather_start(&g->gather, exchange, &connections_ops);
    return 0;
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct page page;
    uint64_t after = 0;
    int rc = 0;
    if (page_read(&page, exchange, req, "topic")) {
        if (page.after.len && !bytes_to_u64(page.after, UINT64_MAX, &after)) {
            exchange_problem(exchange, 400, "`after` takes the `next` of the page before");
        } else {
            rc = start(exchange, &page, after);
        }
    }
    page_finish(&page);
    return rc;
}

const struct handler route_connections = {.begin = begin, .drop = gather_drop};
