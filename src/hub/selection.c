// Sorting, deduplicating and comparing what listeners ask for.
#include "hub/selection.h"

#include <stdlib.h>

#include "base/error.h"

static int by_text(const void *a, const void *b) {
    const struct selector *left = a, *right = b;
    return bytes_compare(left->name.text, right->name.text);
}

static void fill(struct selection *selection, char *texts, const struct hash_key *key,
                 const struct bytes *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        memcpy(texts, names[i].at, names[i].len);
        struct bytes text = bytes_make(texts, names[i].len);
        selection->items[i] = (struct selector){
            .name = {.text = text, .hash = hash_bytes(key, text.at, text.len)},
            .pattern = topic_is_pattern(text),
        };
        texts += names[i].len;
    }
}

static void normalise(struct selection *selection) {
    qsort(selection->items, selection->count, sizeof(selection->items[0]), by_text);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < selection->count; i++) {
        struct selector item = selection->items[i];
        if (kept && bytes_equal(selection->items[kept - 1].name.text, item.name.text)) {
            continue;
        }
        selection->items[kept++] = item;
        // The order is part of the hash, and the order is sorted.
        selection->hash = selection->hash * 31 + item.name.hash;
        selection->has_pattern |= item.pattern;
    }
    selection->count = kept;
}

int selection_create(struct selection **out, const struct mem *mem, const struct hash_key *key,
                     const struct bytes *names, size_t count) {
    size_t texts = 0;
    for (size_t i = 0; i < count; i++) {
        texts += names[i].len;
    }
    struct selection *selection =
        mem_alloc(mem, sizeof(*selection) + count * sizeof(selection->items[0]) + texts);
    if (!selection) {
        return ERR_NOMEM;
    }
    *selection = (struct selection){.mem = mem, .count = (uint32_t)count};
    fill(selection, (char *)(selection->items + count), key, names, count);
    normalise(selection);
    *out = selection;
    return 0;
}

int selection_derive(struct selection **out, const struct selection *like,
                     const struct hash_key *key, const struct bytes *names, size_t count) {
    return selection_create(out, like->mem, key, names, count);
}

void selection_destroy(struct selection **selection) {
    if (*selection) {
        mem_free((*selection)->mem, *selection);
        *selection = NULL;
    }
}

bool selection_equal(const struct selection *a, const struct selection *b) {
    if (a->hash != b->hash || a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!bytes_equal(a->items[i].name.text, b->items[i].name.text)) {
            return false;
        }
    }
    return true;
}

bool selection_names(const struct selection *selection, const struct topic_name *topic) {
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct selector *item = &selection->items[i];
        if (item->pattern
                ? topic_matches(item->name.text, topic->text)
                : item->name.hash == topic->hash && bytes_equal(item->name.text, topic->text)) {
            return true;
        }
    }
    return false;
}

bool selection_hears(const struct selection *selection, const struct frame *frame) {
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name topic = frame_topic(frame, i);
        if (selection_names(selection, &topic)) {
            return true;
        }
    }
    return false;
}
