// A stamp has 32 bits, so a time is right up to 71 minutes; whoever takes longer reads history, and is not asked.
#include "server/latency.h"

#include "hub/hub.h"
#include "server/worker.h"

void latency_note(struct latency *latency, uint32_t stamp, int64_t now_us) {
    uint32_t us = latency_stamp(now_us) - stamp;
    hub_count(&latency->slots[histogram_slot(us)], 1);
    hub_count(&latency->sum, us);
}

static uint64_t load(const atomic_ullong *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void latency_sum(const struct server *server, struct histogram *out) {
    *out = (struct histogram){0};
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct latency *latency = &server->workers[i]->latency;
        for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
            uint64_t added = load(&latency->slots[slot]);
            out->slots[slot] += added;
            out->count += added;
        }
        out->sum += load(&latency->sum);
    }
}

int64_t latency_between(const struct histogram *before, const struct histogram *now, double share) {
    uint64_t count = now->count - before->count, seen = 0;
    uint64_t wanted = (uint64_t)(share * (double)count);
    wanted += (double)wanted < share * (double)count;
    for (unsigned slot = 0; count && slot < HISTOGRAM_SLOTS; slot++) {
        seen += now->slots[slot] - before->slots[slot];
        if (seen >= wanted && seen) {
            return (int64_t)histogram_high(slot);
        }
    }
    return -1;
}
