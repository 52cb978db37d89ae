// A sorted array, and never a long one.
#include "history/disk_holes.h"

#include <string.h>

static void merge_oldest(struct disk_holes *holes) {
    holes->at[1].from = holes->at[0].from;
    memmove(&holes->at[0], &holes->at[1], (holes->count - 1) * sizeof(holes->at[0]));
    holes->count--;
}

void disk_holes_add(struct disk_holes *holes, event_id from, event_id to) {
    if (from >= to) {
        return;
    }
    if (holes->count && holes->at[holes->count - 1].to >= from) {
        struct disk_hole *last = &holes->at[holes->count - 1];
        last->to = last->to < to ? to : last->to;
        return;
    }
    if (holes->count == DISK_HOLES_MAX) {
        merge_oldest(holes);
    }
    holes->at[holes->count++] = (struct disk_hole){.from = from, .to = to};
}

event_id disk_holes_clamp(const struct disk_holes *holes, event_id after, event_id upto,
                          event_id *floor) {
    for (uint32_t i = 0; i < holes->count; i++) {
        const struct disk_hole *hole = &holes->at[i];
        if (hole->to <= after) {
            continue;
        }
        if (hole->from > after) {
            return hole->from < upto ? hole->from : upto;
        }
        *floor = *floor < hole->to ? hole->to : *floor;
    }
    return upto;
}

bool disk_holes_have(const struct disk_holes *holes, event_id id) {
    for (uint32_t i = 0; i < holes->count; i++) {
        if (holes->at[i].from < id && id <= holes->at[i].to) {
            return true;
        }
    }
    return false;
}
