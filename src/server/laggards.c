// Those who lag are in lists of their own, so that they are found without a look at all who do not. What
// it costs is bounded; it may miss some of very many, never all.
#include "server/laggards.h"

#include "server/worker.h"

struct look {
    unsigned left; // steps
    unsigned long long listeners, ms;
};

static void look_at_list(struct look *look, const struct list *all) {
    for (const struct list *at = all->next; at != all && look->left; at = at->next) {
        const struct subscriber *s = container_of(at, struct subscriber, link);
        int64_t ms = hub_behind_ms(s);
        look->left--;
        look->listeners++;
        look->ms = ms > 0 && (unsigned long long)ms > look->ms ? (unsigned long long)ms : look->ms;
    }
}

void laggards_tick(struct worker *worker) {
    struct look look = {.left = LAGGARDS_LOOKS_MAX};
    bool watched = atomic_load_explicit(&worker->server->watched, memory_order_relaxed) > 0;
    if (!watched || worker_now(worker) < worker->laggards.looks_at) {
        return;
    }
    worker->laggards.looks_at = worker_now(worker) + LAGGARDS_LOOK_MS;
    look_at_list(&look, &worker->hub.behind);
    look_at_list(&look, &worker->hub.put_off);
    look_at_list(&look, &worker->hub.stalled);
    atomic_store_explicit(&worker->laggards.listeners, look.listeners, memory_order_relaxed);
    atomic_store_explicit(&worker->laggards.ms, look.ms, memory_order_relaxed);
}
