// A k-way merge on a heap, over the chunks as they lie in the file. Going backward, the keys are the
// ids with every bit flipped.
#include "history/disk_merge.h"

void disk_merge_init(struct disk_merge *merge, MDB_cursor *index, bool backward) {
    merge->index = index;
    merge->backward = backward;
    heap_init(&merge->heap, merge->entries);
}

static event_id key_of(const struct disk_merge *merge, const struct disk_merge_head *head) {
    event_id id = disk_chunk_id(&head->chunk, head->place);
    return merge->backward ? ~id : id;
}

static struct disk_merge_head *first(struct disk_merge *merge) {
    return &merge->heads[merge->entries[0].item];
}

// The head's chunk from this id on; false when the topic has no more.
static int seek(struct disk_merge *merge, struct disk_merge_head *head, event_id from,
                bool *found) {
    int rc =
        merge->backward
            ? disk_index_seek_back(merge->index, head->topic, from, &head->chunk, &head->place)
            : disk_index_seek(merge->index, head->topic, from < head->above ? head->above : from,
                              &head->chunk, &head->place);
    *found = rc == 0 && head->chunk.count && disk_chunk_id(&head->chunk, head->place) > head->above;
    return rc;
}

int disk_merge_add(struct disk_merge *merge, uint64_t topic, event_id gone, event_id from) {
    struct disk_merge_head *head = &merge->heads[merge->heap.count];
    bool found;
    *head = (struct disk_merge_head){.topic = topic, .above = gone};
    int rc = seek(merge, head, from, &found);
    if (rc == 0 && found) {
        heap_push(&merge->heap, key_of(merge, head), merge->heap.count);
    }
    return rc;
}

bool disk_merge_peek(const struct disk_merge *merge, event_id *id) {
    if (merge->heap.count) {
        *id = merge->backward ? ~merge->entries[0].key : merge->entries[0].key;
    }
    return merge->heap.count > 0;
}

static int next_chunk(struct disk_merge *merge, struct disk_merge_head *head, bool *found) {
    event_id last = disk_chunk_id(&head->chunk, head->place);
    *found = false;
    return merge->backward && last == 0
               ? 0
               : seek(merge, head, merge->backward ? last - 1 : last, found);
}

static int advance(struct disk_merge *merge) {
    struct disk_merge_head *head = first(merge);
    bool found = true;
    int rc = 0;
    if (head->place == (merge->backward ? 0 : head->chunk.count - 1)) {
        rc = next_chunk(merge, head, &found);
    } else {
        head->place = merge->backward ? head->place - 1 : head->place + 1;
        found = disk_chunk_id(&head->chunk, head->place) > head->above;
    }
    if (found) {
        heap_rekey(&merge->heap, key_of(merge, head));
    } else {
        heap_pop(&merge->heap);
    }
    return rc;
}

int disk_merge_skip(struct disk_merge *merge) {
    event_id key = merge->entries[0].key;
    int rc = 0;
    while (rc == 0 && merge->heap.count && merge->entries[0].key == key) {
        rc = advance(merge);
    }
    return rc;
}

size_t disk_merge_leap(struct disk_merge *merge, size_t most) {
    if (merge->heap.count != 1 || !merge->backward) {
        return 0;
    }
    struct disk_merge_head *head = first(merge);
    size_t ids = head->place < most ? head->place : most;
    uint32_t place = head->place - (uint32_t)ids;
    if (disk_chunk_id(&head->chunk, place) <= head->above) {
        return 0;
    }
    head->place = place;
    heap_rekey(&merge->heap, key_of(merge, head));
    return ids;
}
