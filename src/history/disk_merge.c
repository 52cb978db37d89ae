// A k-way merge on a heap, over the chunks as they lie in the file. Going backward, the keys are the
// ids with every bit flipped.
#include "history/disk_merge.h"

void disk_merge_init(struct disk_merge *merge, MDB_cursor *index, bool backward) {
    merge->index = index;
    merge->backward = backward;
    merge->count = 0;
}

static event_id key_of(const struct disk_merge *merge, const struct disk_merge_head *head) {
    event_id id = disk_chunk_id(&head->chunk, head->place);
    return merge->backward ? ~id : id;
}

static void swap(struct disk_merge *merge, uint32_t a, uint32_t b) {
    struct disk_merge_head head = merge->heads[a];
    merge->heads[a] = merge->heads[b];
    merge->heads[b] = head;
}

static void sift_up(struct disk_merge *merge, uint32_t at) {
    while (at && merge->heads[at].key < merge->heads[(at - 1) / 2].key) {
        swap(merge, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct disk_merge *merge, uint32_t at) {
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->count; child++) {
            least = merge->heads[child].key < merge->heads[least].key ? child : least;
        }
        if (least == at) {
            return;
        }
        swap(merge, at, least);
        at = least;
    }
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
    struct disk_merge_head *head = &merge->heads[merge->count];
    bool found;
    *head = (struct disk_merge_head){.topic = topic, .above = gone};
    int rc = seek(merge, head, from, &found);
    if (rc == 0 && found) {
        head->key = key_of(merge, head);
        sift_up(merge, merge->count++);
    }
    return rc;
}

bool disk_merge_peek(const struct disk_merge *merge, event_id *id) {
    if (merge->count) {
        *id = merge->backward ? ~merge->heads[0].key : merge->heads[0].key;
    }
    return merge->count > 0;
}

static int next_chunk(struct disk_merge *merge, struct disk_merge_head *head, bool *found) {
    event_id last = disk_chunk_id(&head->chunk, head->place);
    *found = false;
    return merge->backward && last == 0
               ? 0
               : seek(merge, head, merge->backward ? last - 1 : last, found);
}

static int advance(struct disk_merge *merge) {
    struct disk_merge_head *head = &merge->heads[0];
    bool found = true;
    int rc = 0;
    if (head->place == (merge->backward ? 0 : head->chunk.count - 1)) {
        rc = next_chunk(merge, head, &found);
    } else {
        head->place = merge->backward ? head->place - 1 : head->place + 1;
        found = disk_chunk_id(&head->chunk, head->place) > head->above;
    }
    if (found) {
        head->key = key_of(merge, head);
    } else {
        *head = merge->heads[--merge->count];
    }
    sift_down(merge, 0);
    return rc;
}

int disk_merge_skip(struct disk_merge *merge) {
    event_id key = merge->heads[0].key;
    int rc = 0;
    while (rc == 0 && merge->count && merge->heads[0].key == key) {
        rc = advance(merge);
    }
    return rc;
}

size_t disk_merge_leap(struct disk_merge *merge, size_t most) {
    struct disk_merge_head *head = &merge->heads[0];
    if (merge->count != 1 || !merge->backward) {
        return 0;
    }
    size_t ids = head->place < most ? head->place : most;
    uint32_t place = head->place - (uint32_t)ids;
    if (disk_chunk_id(&head->chunk, place) <= head->above) {
        return 0;
    }
    head->place = place;
    head->key = key_of(merge, head);
    return ids;
}
