// DELETE /api/topics/<topic>: history forgets the events of a topic, and the windows of all workers
// with it, before the answer says so. Listeners stay; those that would still have needed one of the
// events are told of a gap. What is published meanwhile may or may not be among what is forgotten.
#include <stdlib.h>

#include "base/error.h"
#include "http/url.h"
#include "server/gather.h"
#include "server/routes.h"
#include "server/worker.h"

static const char PREFIX[] = "/api/topics/";

enum { PORTION = 1024 }; // feeds looked at before others have their turn

struct purge_gather {
    struct gather gather;
    struct topic_name name;
    size_t place;   // among the worker's feeds
    bool caught_up; // the worker has all that was published before the purge
    char text[];    // the name's
};

static void visit_feed(void *ctx, struct map_node *node) {
    struct feed *feed = container_of(node, struct feed, node);
    const struct purge_gather *g = ctx;
    if (selection_names(feed->selection, &g->name)) {
        feed_drop_window(feed);
    }
}

static bool ask(struct gather *gather, struct worker *worker) {
    struct purge_gather *g = container_of(gather, struct purge_gather, gather);
    if (!g->caught_up) {
        worker_catch_up(worker);
        g->caught_up = true;
    }
    if (map_walk(&worker->hub.feeds, &g->place, PORTION, visit_feed, g)) {
        return false;
    }
    g->place = 0;
    g->caught_up = false; // the next worker has not
    return true;
}

static void answer(struct gather *gather, struct exchange *exchange) {
    struct reply reply = {.status = 204};
    (void)gather;
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static void destroy(struct gather *gather) {
    free(container_of(gather, struct purge_gather, gather));
}

static const struct gather_ops purge_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int purge(struct exchange *exchange, struct bytes topic) {
    struct server *server = exchange->worker->server;
    struct purge_gather *g = calloc(1, sizeof(*g) + topic.len);
    if (!g) {
        return ERR_NOMEM;
    }
    memcpy(g->text, topic.at, topic.len);
    g->name.text = bytes_make(g->text, topic.len);
    g->name.hash = hash_bytes(&server->hash_key, topic.at, topic.len);
    int rc = server->history->purge(server->history, &g->name);
    if (rc == 0) {
        gather_start(&g->gather, exchange, &purge_ops);
        return 0;
    }
    free(g);
    if (rc != ERR_NOT_FOUND) {
        return rc;
    }
    exchange_problem(exchange, 404,
                     "history holds nothing of this topic; /api/topics lists those "
                     "that it has");
    return 0;
}

static int purge_named(struct exchange *exchange, struct bytes topic) {
    const char *problem = topic_problem(topic);
    if (!problem && topic_is_pattern(topic)) {
        problem = "a pattern cannot be purged; purge the topics that it stands for, one by one";
    }
    if (problem) {
        exchange_problem(exchange, 400, "%s", problem);
        return 0;
    }
    return purge(exchange, topic);
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    size_t skip = strlen(PREFIX);
    struct buf topic;
    buf_init(&topic, &mem_libc, 0);
    int rc = http_path_decode(bytes_make(req->path.at + skip, req->path.len - skip), &topic);
    if (rc == ERR_INVALID) {
        exchange_problem(exchange, 400,
                         "the topic in the path has a bad percent escape; a %% is written %%25");
        rc = 0;
    } else if (rc == 0) {
        rc = purge_named(exchange, buf_bytes(&topic));
    }
    buf_finish(&topic);
    return rc;
}

const struct handler route_purge = {.begin = begin, .drop = gather_drop};
