// One event in a JSON body: an object with `topic` or `topics`, `data`, `event`, `id`, `retry`.
#ifndef SERVER_PUBLISH_ITEM_H
#define SERVER_PUBLISH_ITEM_H

#include "hub/frame.h"

struct worker;

struct publish_item {
    struct frame *frame; // with a reference, or NULL
    const char *problem; // why there is none: a sentence, for ever
};

// Reads a value that json_validate accepted: fills in one of the two. 0 or ERR_NOMEM.
int publish_item_read(struct worker *worker, struct bytes value, struct publish_item *item);

#endif
