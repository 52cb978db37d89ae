// Sorting, deduplicating and comparing what listeners ask for.
#include "hub/selection.h"

#include <stdlib.h>

#include "base/error.h"

static const uint64_t PRIVY_FACTOR = UINT64_C(0x9e3779b97f4a7c15);

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

static int by_type(const void *a, const void *b) {
    const struct selection_type *left = a, *right = b;
    return bytes_compare(left->text, right->text);
}

static char *fill_types(struct selection *selection, char *texts, const struct hash_key *key,
                        const struct bytes *types) {
    for (size_t i = 0; i < selection->type_count; i++) {
        memcpy(texts, types[i].at, types[i].len);
        struct bytes text = bytes_make(texts, types[i].len);
        selection->types[i] =
            (struct selection_type){.text = text, .hash = hash_bytes(key, text.at, text.len)};
        texts += text.len;
    }
    return texts;
}

static void normalise_types(struct selection *selection) {
    uint32_t kept = 0;
    if (selection->type_count) {
        qsort(selection->types, selection->type_count, sizeof(selection->types[0]), by_type);
    }
    for (uint32_t i = 0; i < selection->type_count; i++) {
        struct selection_type type = selection->types[i];
        if (kept == 0 || !bytes_equal(selection->types[kept - 1].text, type.text)) {
            selection->types[kept++] = type;
            selection->hash = selection->hash * 37 + type.hash;
        }
    }
    selection->type_count = kept;
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

static size_t size_of(const struct bytes *texts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += texts[i].len;
    }
    return size;
}

int selection_create(struct selection **out, const struct mem *mem, const struct hash_key *key,
                     const struct bytes *names, size_t count) {
    struct selection_filter everything = {.type_count = 0};
    return selection_create_filtered(out, mem, key, names, count, &everything);
}

int selection_create_filtered(struct selection **out, const struct mem *mem,
                              const struct hash_key *key, const struct bytes *names, size_t count,
                              const struct selection_filter *filter) {
    size_t texts = size_of(names, count) + size_of(filter->types, filter->type_count);
    struct selection *selection =
        mem_alloc(mem, sizeof(*selection) + count * sizeof(selection->items[0]) +
                           filter->type_count * sizeof(selection->types[0]) + texts);
    if (!selection) {
        return ERR_NOMEM;
    }
    *selection = (struct selection){
        .mem = mem,
        .count = (uint32_t)count,
        .type_count = (uint32_t)filter->type_count,
        .latest = filter->latest,
        .hash = filter->latest,
        .types = (struct selection_type *)(void *)(selection->items + count),
    };
    char *rest = (char *)(selection->types + filter->type_count);
    rest = fill_types(selection, rest, key, filter->types);
    fill(selection, rest, key, names, count);
    normalise(selection);
    normalise_types(selection);
    *out = selection;
    return 0;
}

int selection_create_like(struct selection **out, const struct mem *mem, const struct hash_key *key,
                          const struct bytes *names, size_t count, const struct selection *like) {
    struct bytes types[SELECTION_TYPES_MAX];
    for (uint32_t i = 0; i < like->type_count; i++) {
        types[i] = like->types[i].text;
    }
    struct selection_filter filter = {
        .types = types, .type_count = like->type_count, .latest = like->latest};
    return selection_create_filtered(out, mem, key, names, count, &filter);
}

// A sum, so that the order in which they are set does not matter.
void selection_set_privy(struct selection *selection, uint32_t place) {
    struct selector *item = &selection->items[place];
    if (!item->privy) {
        item->privy = true;
        selection->hash += item->name.hash * PRIVY_FACTOR;
    }
}

void selection_destroy(struct selection **selection) {
    if (*selection) {
        mem_free((*selection)->mem, *selection);
        *selection = NULL;
    }
}

bool selection_equal(const struct selection *a, const struct selection *b) {
    if (a->hash != b->hash || a->count != b->count || a->type_count != b->type_count ||
        a->latest != b->latest) {
        return false;
    }
    for (uint32_t i = 0; i < a->type_count; i++) {
        if (!bytes_equal(a->types[i].text, b->types[i].text)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->items[i].privy != b->items[i].privy ||
            !bytes_equal(a->items[i].name.text, b->items[i].name.text)) {
            return false;
        }
    }
    return true;
}

bool selection_names(const struct selection *selection, const struct topic_name *topic,
                     bool private) {
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct selector *item = &selection->items[i];
        if (private && !item->privy) {
            continue;
        }
        if (item->pattern
                ? topic_matches(item->name.text, topic->text)
                : item->name.hash == topic->hash && bytes_equal(item->name.text, topic->text)) {
            return true;
        }
    }
    return false;
}

bool selection_hides(const struct selection *selection) {
    for (uint32_t i = 0; i < selection->count; i++) {
        if (!selection->items[i].privy) {
            return true;
        }
    }
    return false;
}

bool selection_lets_through(const struct selection *selection, struct bytes type) {
    type = type.len ? type : bytes_of("message");
    for (uint32_t i = 0; i < selection->type_count; i++) {
        if (bytes_equal(selection->types[i].text, type)) {
            return true;
        }
    }
    return false;
}

bool selection_hears(const struct selection *selection, const struct frame *frame) {
    return selection_passes(selection, frame_type(frame)) && selection_concerns(selection, frame);
}

bool selection_concerns(const struct selection *selection, const struct frame *frame) {
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name topic = frame_topic(frame, i);
        if (selection_names(selection, &topic, frame->private)) {
            return true;
        }
    }
    return false;
}
