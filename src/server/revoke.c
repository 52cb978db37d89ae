// Looking through streams. None is ended on the spot: its deadline is now, so that the worker ends
// each in a turn of its own, as if it had grown too old.
#include "server/revoke.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/access.h"
#include "server/stream.h"
#include "server/worker.h"

struct revoke_task {
    struct task task;
};

// What was heard by the right of the key alone.
static bool covers_what_is_privy(const struct identity *key, const struct selection *selection) {
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct selector *item = &selection->items[i];
        if (item->privy && !grants_cover(&key->claims.grants, item->name.text, RIGHT_SUBSCRIBE)) {
            return false;
        }
    }
    return true;
}

// False when it has to end.
static bool goes_on(struct worker *worker, struct stream *stream) {
    struct identity *key = access_key_now(worker->server, stream->key->key);
    const struct feed *feed = stream->subscriber.feed;
    bool fine = key && feed && covers_what_is_privy(key, feed->selection);
    if (fine) {
        stream_live_by(stream, key);
        if (stream->talk) {
            stream->talk->ops->renewed(stream, key);
        }
        stream_expire_in(stream, access_lasts_ms(worker->server, key));
    }
    identity_unref(key);
    return fine;
}

static void run(struct worker *worker, struct task *task) {
    unsigned ended = 0;
    for (struct list *at = worker->streams.next; at != &worker->streams; at = at->next) {
        struct stream *stream = container_of(at, struct stream, link);
        if (stream->key && !goes_on(worker, stream)) {
            stream_end_within(stream, 0);
            ended++;
        }
    }
    if (ended) {
        log_write(LOG_INFO, "API keys: %u streams of keys that are gone are ended", ended);
    }
    free(container_of(task, struct revoke_task, task));
}

static void cancel(struct task *task) {
    free(container_of(task, struct revoke_task, task));
}

void revoke_streams(struct server *server) {
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct revoke_task *revoke = malloc(sizeof(*revoke));
        if (!revoke) {
            log_write(LOG_ERROR, "not enough memory to end the streams of API keys that are gone; "
                                 "reload once more");
            return;
        }
        *revoke = (struct revoke_task){.task = {.run = run, .cancel = cancel}};
        worker_post(server->workers[i], &revoke->task);
    }
}
