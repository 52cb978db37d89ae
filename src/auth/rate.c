// Buckets. In nanoseconds, because so each cost is a time: what a bucket lacks is the time until it is
// full, and something may be spent if that, with its cost, does not come to more than the burst.
#include "auth/rate.h"

#include "base/error.h"

enum { SWEEP = 2, MS_NS = 1000000, SECOND_NS = 1000000000 };

struct bucket {
    struct map_node node;
    struct list link;
    int64_t full_ns; // when it is full again
};

void rate_init(struct rate *rate, const struct mem *mem, uint64_t per_second, uint64_t burst) {
    rate->mem = mem;
    rate_limit(rate, per_second, burst);
    for (size_t i = 0; i < RATE_PARTS; i++) {
        pthread_mutex_init(&rate->parts[i].lock, NULL);
        map_init(&rate->parts[i].map, mem);
        list_init(&rate->parts[i].order);
    }
}

void rate_limit(struct rate *rate, uint64_t per_second, uint64_t burst) {
    atomic_store_explicit(&rate->per_second, per_second, memory_order_relaxed);
    atomic_store_explicit(&rate->burst_ns, (int64_t)burst * SECOND_NS, memory_order_relaxed);
}

static uint64_t per_second_of(const struct rate *rate) {
    return atomic_load_explicit(&rate->per_second, memory_order_relaxed);
}

static struct bucket *bucket_at(struct list *link) {
    return container_of(link, struct bucket, link);
}

static void drop(struct rate *rate, struct rate_part *part, struct bucket *bucket) {
    map_remove(&part->map, &bucket->node);
    list_remove(&bucket->link);
    mem_free(rate->mem, bucket);
}

void rate_finish(struct rate *rate) {
    for (size_t i = 0; i < RATE_PARTS; i++) {
        struct rate_part *part = &rate->parts[i];
        while (!list_empty(&part->order)) {
            drop(rate, part, bucket_at(part->order.next));
        }
        map_finish(&part->map);
        pthread_mutex_destroy(&part->lock);
    }
}

static struct rate_part *part_of(struct rate *rate, uint64_t key) {
    return &rate->parts[key >> 60];
}

static bool same_key(const struct map_node *node, const void *key) {
    return node->hash == *(const uint64_t *)key;
}

static struct bucket *find(const struct rate_part *part, uint64_t key) {
    struct map_node *node = map_find(&part->map, key, same_key, &key);
    return node ? container_of(node, struct bucket, node) : NULL;
}

// Of those that were not used for long, most are full: a few of them go whenever one comes.
static void make_room(struct rate *rate, struct rate_part *part, int64_t now_ns) {
    for (int i = 0; i < SWEEP && !list_empty(&part->order); i++) {
        struct bucket *oldest = bucket_at(part->order.next);
        if (oldest->full_ns > now_ns && part->map.count < RATE_BUCKETS / RATE_PARTS) {
            return;
        }
        drop(rate, part, oldest);
    }
}

static struct bucket *open_bucket(struct rate *rate, struct rate_part *part, uint64_t key,
                                  int64_t now_ns) {
    make_room(rate, part, now_ns);
    struct bucket *bucket = mem_new(rate->mem, sizeof(*bucket));
    if (!bucket) {
        return NULL;
    }
    if (map_insert(&part->map, &bucket->node, key)) {
        mem_free(rate->mem, bucket);
        return NULL;
    }
    list_push_back(&part->order, &bucket->link);
    bucket->full_ns = now_ns;
    return bucket;
}

static int64_t cost_ns(uint64_t per_second, uint64_t cost) {
    cost = cost < RATE_COST_MAX ? cost : RATE_COST_MAX;
    return (int64_t)(cost * SECOND_NS / per_second);
}

// What is missing for the cost, in nanoseconds; 0 or less: nothing.
static int64_t lack(const struct rate *rate, int64_t until_full, int64_t cost) {
    int64_t burst = atomic_load_explicit(&rate->burst_ns, memory_order_relaxed);
    return until_full + (cost < burst ? cost : burst) - burst;
}

static int64_t spend(struct rate *rate, struct rate_part *part, uint64_t key, int64_t cost,
                     int64_t now_ns) {
    struct bucket *bucket = find(part, key);
    bucket = bucket ? bucket : open_bucket(rate, part, key, now_ns);
    if (!bucket) {
        return 0;
    }
    list_remove(&bucket->link);
    list_push_back(&part->order, &bucket->link);
    int64_t from = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;
    int64_t missing = lack(rate, from - now_ns, cost);
    if (missing > 0) {
        return (missing + MS_NS - 1) / MS_NS;
    }
    bucket->full_ns = from + cost;
    return 0;
}

int64_t rate_spend(struct rate *rate, uint64_t key, uint64_t cost, int64_t now_ms) {
    uint64_t per_second = per_second_of(rate);
    if (per_second == 0) {
        return 0;
    }
    struct rate_part *part = part_of(rate, key);
    pthread_mutex_lock(&part->lock);
    int64_t wait_ms = spend(rate, part, key, cost_ns(per_second, cost), now_ms * MS_NS);
    pthread_mutex_unlock(&part->lock);
    return wait_ms;
}

void rate_refund(struct rate *rate, uint64_t key, uint64_t cost) {
    uint64_t per_second = per_second_of(rate);
    if (per_second == 0) {
        return;
    }
    struct rate_part *part = part_of(rate, key);
    pthread_mutex_lock(&part->lock);
    struct bucket *bucket = find(part, key);
    if (bucket) {
        bucket->full_ns -= cost_ns(per_second, cost);
    }
    pthread_mutex_unlock(&part->lock);
}

size_t rate_buckets(struct rate *rate) {
    size_t count = 0;
    for (size_t i = 0; i < RATE_PARTS; i++) {
        pthread_mutex_lock(&rate->parts[i].lock);
        count += rate->parts[i].map.count;
        pthread_mutex_unlock(&rate->parts[i].lock);
    }
    return count;
}
