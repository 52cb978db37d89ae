// The ring and its index. Keys are hashes that nobody outside can aim, and a key is indexed once, so
// that chains stay short whatever publishers bring.
#include "bus/once.h"

#include "base/error.h"

enum { DROPS_PER_ADD = 4 };

int once_table_init(struct once_table *table, const struct mem *mem, uint32_t capacity,
                    int64_t window_ms) {
    *table = (struct once_table){.mem = mem, .window_ms = window_ms};
    if (window_ms <= 0) {
        return 0;
    }
    uint32_t buckets = 1;
    while (buckets < capacity) {
        buckets *= 2;
    }
    // Not zeroed, so that the system gives the pages only as they are used.
    table->entries = mem_alloc(mem, capacity * sizeof(*table->entries));
    table->buckets = mem_new(mem, buckets * sizeof(*table->buckets));
    if (!table->entries || !table->buckets) {
        once_table_finish(table);
        return ERR_NOMEM;
    }
    table->capacity = capacity;
    table->mask = buckets - 1;
    return 0;
}

void once_table_finish(struct once_table *table) {
    mem_free(table->mem, table->entries);
    mem_free(table->mem, table->buckets);
    *table = (struct once_table){.mem = table->mem};
}

static uint32_t place_at(const struct once_table *table, uint32_t nth) {
    uint64_t place = (uint64_t)table->oldest + nth;
    return (uint32_t)(place < table->capacity ? place : place - table->capacity);
}

static uint32_t *bucket_of(const struct once_table *table, uint64_t a) {
    return &table->buckets[a & table->mask];
}

// Where the entry with this key is linked, or the end of its bucket.
static uint32_t *link_of(const struct once_table *table, uint64_t a) {
    uint32_t *link = bucket_of(table, a);
    while (*link && table->entries[*link - 1].once.a != a) {
        link = &table->entries[*link - 1].next;
    }
    return link;
}

static void forget(struct once_table *table, uint32_t *link) {
    struct once_entry *entry = &table->entries[*link - 1];
    *link = entry->next;
    entry->id = 0;
}

static bool is_too_old(const struct once_table *table, const struct once_entry *entry,
                       int64_t now) {
    return now - id_to_ms(entry->id) > table->window_ms;
}

static struct once_entry *oldest(const struct once_table *table) {
    return &table->entries[table->oldest];
}

// True when it was still remembered.
static bool drop_oldest(struct once_table *table) {
    bool remembered = oldest(table)->id != 0;
    if (remembered) {
        forget(table, link_of(table, oldest(table)->once.a));
    }
    table->oldest = place_at(table, 1);
    table->count--;
    return remembered;
}

static void drop_some(struct once_table *table, int64_t now) {
    for (int i = 0; i < DROPS_PER_ADD && table->count; i++) {
        if (oldest(table)->id && !is_too_old(table, oldest(table), now)) {
            return;
        }
        drop_oldest(table);
    }
}

static void enter(struct once_table *table, uint32_t place, const struct once *once, event_id id) {
    uint32_t *bucket = bucket_of(table, once->a);
    table->entries[place] = (struct once_entry){.once = *once, .id = id, .next = *bucket};
    *bucket = place + 1;
    table->count++;
}

const struct once_entry *once_table_find(const struct once_table *table, const struct once *once,
                                         int64_t now) {
    if (table->count == 0) {
        return NULL;
    }
    uint32_t found = *link_of(table, once->a);
    const struct once_entry *entry = found ? &table->entries[found - 1] : NULL;
    return entry && !is_too_old(table, entry, now) ? entry : NULL;
}

bool once_table_add(struct once_table *table, const struct once *once, event_id id, int64_t now) {
    if (table->capacity == 0) {
        return false;
    }
    uint32_t *link = link_of(table, once->a);
    if (*link) {
        forget(table, link);
    }
    drop_some(table, now);
    bool lost = table->count == table->capacity && drop_oldest(table);
    enter(table, place_at(table, table->count), once, id);
    return lost;
}

bool once_table_recall(struct once_table *table, const struct once *once, event_id id) {
    if (table->count == table->capacity) {
        return false;
    }
    if (*link_of(table, once->a) == 0) {
        table->oldest = table->oldest ? table->oldest - 1 : table->capacity - 1;
        enter(table, table->oldest, once, id);
    }
    return true;
}
