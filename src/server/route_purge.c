// DELETE /api/topics/<topic>: history forgets the events of a topic, and the windows of all workers
// with it, and where publishers are promised the disk it is written there, before the answer says
// so. Listeners stay; those that would still have needed one of the events are told of a gap. What is
// published meanwhile may or may not be among what is forgotten.
#include <stdlib.h>

#include "base/error.h"
#include "http/url.h"
#include "server/commit.h"
#include "server/gather.h"
#include "server/routes.h"
#include "server/worker.h"

static const char PREFIX[] = "/api/topics/";

enum { PORTION = 1024 }; // feeds looked at before others have their turn

// Lives until both the round through the workers and the exchange are over.
struct purge {
    struct gather gather;
    struct commit commit;
    unsigned holders; // the home worker's
    struct topic_name name;
    size_t place;   // among the worker's feeds
    bool caught_up; // the worker has all that was published before the purge
    char text[];    // the name's
};

static struct purge *purge_of(struct gather *gather) {
    return container_of(gather, struct purge, gather);
}

static void release(struct purge *purge) {
    if (--purge->holders == 0) {
        free(purge);
    }
}

static void visit_feed(void *ctx, struct map_node *node) {
    struct feed *feed = container_of(node, struct feed, node);
    const struct purge *purge = ctx;
    if (selection_names(feed->selection, &purge->name, false)) {
        feed_drop_window(feed);
    }
}

static bool ask(struct gather *gather, struct worker *worker) {
    struct purge *purge = purge_of(gather);
    if (!purge->caught_up) {
        worker_catch_up(worker);
        purge->caught_up = true;
    }
    if (map_walk(&worker->hub.feeds, &purge->place, PORTION, visit_feed, purge)) {
        return false;
    }
    purge->place = 0;
    purge->caught_up = false; // the next worker has not
    return true;
}

static int tell(struct exchange *exchange) {
    struct reply reply = {.status = 204};
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
    return 0;
}

// Also said when somebody else has just purged it; then that is on disk first.
static int tell_none(struct exchange *exchange) {
    exchange_problem(exchange, 404,
                     "history holds nothing of this topic; /api/topics lists those "
                     "that it has");
    return 0;
}

// The round is over: now the disk.
static void answer(struct gather *gather, struct exchange *exchange) {
    exchange->state = gather;
    (void)commit_answer(&purge_of(gather)->commit, tell);
}

static void destroy(struct gather *gather) {
    release(purge_of(gather));
}

static const struct gather_ops purge_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int begin_purge(struct exchange *exchange, struct bytes topic) {
    struct server *server = exchange->worker->server;
    struct purge *purge = calloc(1, sizeof(*purge) + topic.len);
    if (!purge) {
        return ERR_NOMEM;
    }
    memcpy(purge->text, topic.at, topic.len);
    purge->name.text = bytes_make(purge->text, topic.len);
    purge->name.hash = hash_bytes(&server->hash_key, topic.at, topic.len);
    commit_init(&purge->commit, exchange);
    int rc = server->history->purge(server->history, &purge->name, &purge->commit.purge);
    if (rc == 0) {
        purge->holders = 2;
        gather_start(&purge->gather, exchange, &purge_ops);
    } else if (rc == ERR_NOT_FOUND) {
        purge->holders = 1;
        exchange->state = &purge->gather;
        rc = commit_answer(&purge->commit, tell_none);
    } else {
        free(purge);
    }
    return rc;
}

static void drop(struct exchange *exchange) {
    struct gather *gather = exchange->state;
    if (gather) {
        gather_drop(exchange);
        commit_leave(&purge_of(gather)->commit);
        release(purge_of(gather));
    }
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
    return commit_refuse_purge(exchange) ? 0 : begin_purge(exchange, topic);
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

const struct handler route_purge = {.begin = begin, .drop = drop, .finishes = true};
