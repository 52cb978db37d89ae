// One event as a JSON object: with `topic` or `topics`, `data`, `event`, `id`, `key`, `retry`,
// `private`, and `at` when it was exported from a history. Needs no server: an import reads the same
// objects. Any thread.
#ifndef SERVER_PUBLISH_ITEM_H
#define SERVER_PUBLISH_ITEM_H

#include "base/buf.h"
#include "hub/frame.h"

struct publish_item {
    struct frame *frame; // with a reference, or NULL
    event_id at;         // the place that it had, 0: it does not say
    int status;          // that tells why there is none; 0: 400
    const char *problem; // why there is none: a sentence, for ever
    int retry_after;     // seconds until there may be one, with status 429
};

// Reads a value that json_validate accepted: fills in the frame or the problem. `text` is used on the
// way, and `key` hashes the topics' names. 0 or ERR_NOMEM.
int publish_item_read(struct buf *text, const struct hash_key *key, struct bytes value,
                      struct publish_item *item);

#endif
