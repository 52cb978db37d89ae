// The least that finds the events in JSON as freshet writes it: in arrays, in lines, in messages, one
// object each, with members "id" and "data". It tells of each how its data begins and how long it is,
// and keeps the last id.
//
// It is no parser: it takes everything for JSON, and looks into strings only.
#ifndef LOAD_ITEMS_H
#define LOAD_ITEMS_H

#include "load/scan.h"

enum { ITEMS_KEY_MAX = 8 };

// All zero is the start.
struct items {
    size_t data_len;
    uint8_t state, what; // what: the string under way is
    bool value;          // what comes next is a value
    bool has_data;
    unsigned char key_len, head_len, id_len, pending_len, digits;
    uint32_t code; // of an escape, as far as its digits came
    char key[ITEMS_KEY_MAX], head[SCAN_HEAD_MAX], id[SCAN_ID_MAX], pending[SCAN_ID_MAX];
};

// What came next. Calls `found` for each event that is complete.
void items_feed(struct items *items, struct bytes piece, scan_found *found, void *ctx);

// The id of the last event that had one.
static inline struct bytes items_id(const struct items *items) {
    return bytes_make(items->id, items->id_len);
}

#endif
