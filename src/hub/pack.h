// Packs: a pack is a run, or a piece of one, deflated once as a whole for everyone who stands at the
// same cursor. It is handed over as one unit: a raw frame whose id is that of the last event in it,
// so that who has got only a part of it keeps a reference, as to any half-sent frame.
//
// Most listeners have just been sent the event before it; for them a pack may refer to that event's
// bytes, as far as their decompressor is concerned a text that it has seen. One thread: the hub's.
#ifndef HUB_PACK_H
#define HUB_PACK_H

#include "hub/form.h"
#include "hub/gzip.h"

struct feed;

enum {
    PACKS = 16,             // kept at a time, while someone is being served
    PACK_BYTES = 32 * 1024, // of plain bytes in one; but one event at least
    // What is larger than this is stored: nobody on the worker should wait longer for an event.
    PACK_DEFLATE_MAX = 2 * 1024 * 1024,
};

// The body of a subscriber that is sent compressed: all that it needs of its own.
struct pack_body {
    event_id last; // the event whose bytes were the last that it was sent; 0: something else was
    struct gzip_sum sum;
    bool ended; // after its part nothing follows
};

// `values` of a pack: 0 when it is made of everything; up to where a snapshot goes that it is made of;
// or this, when it is made of what a listener catches up with that wants the newest of each key alone.
enum { PACK_CATCHES_UP = 1 };

// What a pack is for.
struct pack_key {
    const struct feed *feed;
    event_id first;       // the first event in it
    struct frame *before; // the event before that one, when its bytes may be referred to; or NULL
    bool lone;            // the first is also the last that there is: then any feed will do
    uint64_t most;        // of events
    event_id values;      // what is left out of it: see below
};

// What everyone who gets the pack must know of it.
struct pack_facts {
    struct gzip_piece piece;
    uint32_t events;
};

struct pack_entry {
    const struct feed *feed; // NULL with a frame: it may be for another
    enum encoding encoding;
    event_id first, before, values;
    bool cut;            // it ends where somebody's bound was
    struct frame *frame; // NULL: there is none
};

struct packs {
    const struct mem *mem;
    struct gzip_deflater *deflater; // made for the first pack
    struct buf buffer, text;
    struct pack_entry entries[PACKS];
    unsigned newest, held;
    size_t deflated; // bytes, since somebody asked
    struct frame *heartbeats[ENCODING_COUNT];
};

void packs_init(struct packs *packs, const struct mem *mem);
void packs_finish(struct packs *packs);

// Gives the packs back: all, because nobody is being served; or those of a feed that ends.
void packs_forget(struct packs *packs);
void packs_forget_feed(struct packs *packs, const struct feed *feed);

// A pack that serves, or NULL. It is the packs' own, until the next is made.
struct frame *pack_find(const struct packs *packs, const struct pack_key *key);

// Makes one of these bytes, which are `events` whole events up to `last`: 0 or ERR_NOMEM.
int pack_make(struct packs *packs, const struct pack_key *key, struct bytes plain, uint32_t events,
              event_id last, struct frame **out);

struct pack_facts pack_facts(const struct frame *pack);

// Notes in the body that this pack comes next.
void pack_note(struct pack_body *body, const struct frame *pack);

// Puts in place of a control frame a pack of it, as it is: 0, or ERR_NOMEM and the frame is gone.
int pack_control(struct packs *packs, enum encoding encoding, struct frame **frame);

// The heartbeat, as a pack, made once; the packs' own. NULL when there is no memory.
struct frame *pack_heartbeat(struct packs *packs, enum encoding encoding, struct frame *plain);

// The end of a body: 0 or ERR_NOMEM.
int pack_end(const struct packs *packs, struct pack_body *body, struct frame **out);

// The same in these bytes, after `last`, which is no event: as many as GZIP_END_SIZE and its own.
// Returns how many.
size_t pack_write_end(struct pack_body *body, struct bytes last, char *out);

// A body that is whole, as gzip: 0, ERR_NOMEM or ERR_TOO_LARGE.
int pack_answer(struct packs *packs, struct bytes plain, struct buf *out);

// How much work deflating was since the last time, counted in sends of a few microseconds.
unsigned pack_effort(struct packs *packs);

#endif
