// The run: the contiguous bytes that are being handed to everyone who stands at the same cursor.
// One for each hub, because feeds are served one after the other: it is built for the first
// subscriber of a pass, and the rest of the pass finds it made. A single large or lone frame is not
// even copied.
#ifndef HUB_RUN_H
#define HUB_RUN_H

#include "base/buf.h"
#include "hub/feed.h"

enum { RUN_FRAMES = 2048 };

struct run_mark {
    event_id id;
    size_t end; // of this frame's bytes in the run
    struct frame *frame;
};

struct run {
    const struct feed *feed; // whose; NULL when the run is of frames from the past, or empty
    uint64_t number;         // of the run: every new one has another
    event_id after, last;    // it holds the frames with after < id <= last
    struct bytes bytes;
    bool lone; // bytes are one frame's own, not the buffer's
    struct buf buffer;
    struct buf single; // of run_single
    size_t limit;      // stops growing at this many bytes, but holds one frame at least
    uint32_t count;
    struct run_mark marks[RUN_FRAMES];
};

void run_init(struct run *run, const struct mem *mem, size_t limit);
void run_finish(struct run *run);

// What `feed` says after this cursor, as much as fits, from the feed's window, which must reach
// back to it. *bytes is valid until the run changes. 0 or ERR_NOMEM.
int run_cover(struct run *run, const struct feed *feed, event_id after, struct bytes *bytes);

// The same from frames of the past; the caller keeps them alive while it uses the run.
int run_load(struct run *run, enum encoding encoding, struct frame *const *frames, size_t count,
             struct bytes *bytes);

// The stamp of the first frame that run_cover gave for this cursor.
uint32_t run_stamp(const struct run *run, event_id after);

// Of what run_cover or run_load gave for this cursor, the bytes of the first whole frames that are no
// more than `events` and `bytes`; with `one`, of one frame at least.
size_t run_fit(const struct run *run, event_id after, uint64_t events, size_t bytes, bool one);

// After `sent` bytes that began behind `after`: *id is the last frame that they hold whole (`after`
// when none), and *part the frame that they end in the middle of (*part_sent bytes of it), or NULL.
// Returns how many frames are whole.
uint32_t run_account(const struct run *run, event_id after, size_t sent, event_id *id,
                     struct frame **part, uint32_t *part_sent);

// The bytes of one frame in an encoding, for a frame that is outside any run (a half-sent one).
// The run stays as it is. The bytes are valid until the next call. 0 or ERR_NOMEM.
int run_single(struct run *run, enum encoding encoding, struct frame *frame, struct bytes *bytes);

// Forgets what it holds of a feed that ends.
void run_forget(struct run *run, const struct feed *feed);

#endif
