// A page of topics: the first rows, by name, of what several sources know about them. It holds no
// more rows than the page has, however many are added, and adds up what sources say of one topic.
#ifndef SERVER_LISTING_H
#define SERVER_LISTING_H

#include "base/buf.h"
#include "hub/id.h"

struct listing_row {
    char *name; // owned
    size_t name_len;
    uint64_t subscribers, events, bytes;
    event_id oldest, newest; // 0: history holds nothing
};

struct listing {
    struct listing_row *rows; // sorted by name
    size_t count, limit;
    struct bytes after;  // rows begin behind this name; owned, like the next
    struct bytes prefix; // and have this in front
    struct bytes search; // and this somewhere, whatever the case of ASCII letters
    bool more;           // rows were left out at the end
    bool failed;         // there was no memory for one
};

// 0 or ERR_NOMEM.
int listing_init(struct listing *listing, size_t limit, struct bytes after, struct bytes prefix,
                 struct bytes search);
void listing_finish(struct listing *listing);

// Adds what one source knows; row->name is copied.
void listing_add(struct listing *listing, struct bytes name, const struct listing_row *row);

// Appends {"topics":[…],"next":…}: 0, or a negative error.
int listing_write(const struct listing *listing, struct buf *out);

#endif
