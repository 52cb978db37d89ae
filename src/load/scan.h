// The least that finds the events in an event stream: where each begins and ends, how long its data
// is, how its data begins, and the last id. It is what makes a load generator cheap: it copies
// nothing of an event that arrives whole.
//
// It knows lines that end with LF or CR LF. It is no parser: a CR alone ends no line, there is no
// byte order mark, and it checks no UTF-8; include/freshet/parser.h does all of that.
#ifndef LOAD_SCAN_H
#define LOAD_SCAN_H

#include <stdbool.h>

#include "base/bytes.h"

enum {
    SCAN_HEAD_MAX = 32,  // of an event's data
    SCAN_ID_MAX = 64,    // a longer id counts as none
    SCAN_CARRY_MAX = 72, // of a line that was cut
};

// All zero is the start of a stream.
struct scan {
    size_t carried;       // length so far of the line that was cut
    size_t data_len;      // of the data lines so far, with the LFs between them
    struct bytes at;      // the start of the data: in the piece that is being fed, or in `head`
    struct bytes next_id; // of the event that is not complete: in the piece, or in `pending`
    struct bytes newest;  // of the last complete one, when it lies in the piece
    bool has_data, has_next_id, has_newest;
    char last; // the last byte of the line that was cut
    unsigned char id_len;
    char head[SCAN_HEAD_MAX], id[SCAN_ID_MAX], pending[SCAN_ID_MAX], carry[SCAN_CARRY_MAX];
};

// An event: the first bytes of its data, SCAN_HEAD_MAX or all, and its length.
typedef void scan_found(void *ctx, struct bytes head, size_t data_len);

// What came next. Calls `found` for each event that is complete.
void scan_feed(struct scan *scan, struct bytes piece, scan_found *found, void *ctx);

// The id of the last event that had one, as it stood after the last feed.
static inline struct bytes scan_id(const struct scan *scan) {
    return bytes_make(scan->id, scan->id_len);
}

#endif
