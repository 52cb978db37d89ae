// GET /api/topics: the topics and patterns that have listeners or events, a page at a time, by name.
#include <stdlib.h>

#include "base/error.h"
#include "server/gather.h"
#include "server/listing.h"
#include "server/page.h"
#include "server/routes.h"
#include "server/worker.h"

enum { PORTION = 4096 };

struct topics_gather {
    struct gather gather;
    struct listing listing;
    struct history_walk in_history;
    size_t place;        // in the walk of the worker
    bool history_walked; // the first worker asked also walks history
};

// What is listened to stands in the selections of the feeds, patterns and topics alike.
static void visit_feed(void *ctx, struct map_node *node) {
    struct topics_gather *g = ctx;
    const struct feed *feed = container_of(node, struct feed, node);
    struct listing_row row = {.subscribers = feed->subscribers};
    for (uint32_t i = 0; i < feed->selection->count; i++) {
        listing_add(&g->listing, feed->selection->items[i].name.text, &row);
    }
}

static bool visit_history(void *ctx, const struct history_topic *topic) {
    struct topics_gather *g = ctx;
    struct listing_row row = {.events = topic->events,
                              .bytes = topic->bytes,
                              .oldest = topic->oldest,
                              .newest = topic->newest};
    if (topic->events) {
        listing_add(&g->listing, topic->name, &row);
    }
    return true;
}

static bool walk(struct topics_gather *g, struct worker *worker) {
    struct history *history = worker->server->history;
    if (!g->history_walked) {
        g->history_walked = !history->topics(history, &g->in_history, PORTION, visit_history, g);
        return false;
    }
    return !map_walk(&worker->hub.feeds, &g->place, PORTION, visit_feed, g);
}

static bool ask(struct gather *gather, struct worker *worker) {
    struct topics_gather *g = container_of(gather, struct topics_gather, gather);
    bool done = walk(g, worker);
    g->place = done ? 0 : g->place;
    return done;
}

static void answer(struct gather *gather, struct exchange *exchange) {
    struct topics_gather *g = container_of(gather, struct topics_gather, gather);
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    int rc = g->listing.failed ? ERR_NOMEM : listing_write(&g->listing, body);
    if (rc) {
        exchange_refuse(exchange, rc);
    } else {
        exchange_answer(exchange, 200, "application/json", buf_bytes(body));
    }
}

static void destroy(struct gather *gather) {
    struct topics_gather *g = container_of(gather, struct topics_gather, gather);
    listing_finish(&g->listing);
    free(g);
}

static const struct gather_ops topics_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int start(struct exchange *exchange, const struct page *page) {
    struct topics_gather *g = calloc(1, sizeof(*g));
    if (!g || listing_init(&g->listing, page->limit, page->after, page->filter, page->search)) {
        free(g);
        return ERR_NOMEM;
    }
    gather_start(&g->gather, exchange, &topics_ops);
    return 0;
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct page page;
    int rc = 0;
    if (page_read(&page, exchange, req, "prefix")) {
        rc = start(exchange, &page);
    }
    page_finish(&page);
    return rc;
}

const struct handler route_topics = {.begin = begin, .drop = gather_drop};
