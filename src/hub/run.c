// Building the run, extending it while a pass is under way, and reading back how far a partial send
// came. Marks of a feed's run stay valid as long as the feed's window reaches back to the cursor
// that asks: what it has dropped since lies before that cursor.
#include "hub/run.h"

#include "base/error.h"

enum { COPY_MAX = 16 * 1024 }; // a first frame above this is sent from where it lies

void run_init(struct run *run, const struct mem *mem, size_t limit) {
    run->feed = NULL;
    run->number = 0;
    run->count = 0;
    run->limit = limit;
    buf_init(&run->buffer, mem, 0);
    buf_init(&run->single, mem, 0);
}

void run_finish(struct run *run) {
    buf_finish(&run->buffer);
    buf_finish(&run->single);
}

// Empties it. One frame of a megabyte must not be paid for until the hub ends.
static void empty(struct buf *buf, size_t limit) {
    buf_clear(buf);
    if (buf->cap > 4 * limit) {
        buf_finish(buf);
    }
}

void run_forget(struct run *run, const struct feed *feed) {
    if (run->feed == feed) {
        run->feed = NULL;
        run->count = 0;
    }
}

static void start(struct run *run, const struct feed *feed, event_id after) {
    run->feed = feed;
    run->number++;
    run->after = run->last = after;
    run->count = 0;
    run->lone = false;
    empty(&run->buffer, run->limit);
    run->bytes = buf_bytes(&run->buffer);
}

static void mark(struct run *run, struct frame *frame, size_t end) {
    run->marks[run->count++] = (struct run_mark){.id = frame->id, .end = end, .frame = frame};
    run->last = frame->id;
}

static void set_lone(struct run *run, struct frame *frame) {
    run->lone = true;
    run->bytes = frame_bytes(frame);
    mark(run, frame, run->bytes.len);
}

// 0 when the frame is in, 1 when the run is full, negative when there is no memory.
static int add(struct run *run, enum encoding encoding, struct frame *frame) {
    bool first = run->count == 0;
    if (run->lone || run->count == RUN_FRAMES ||
        (!first && run->buffer.len + frame->size > run->limit)) {
        return 1;
    }
    if (first && encoding == ENCODING_EVENT_STREAM && frame->size > COPY_MAX) {
        set_lone(run, frame);
        return 0;
    }
    int rc = encoding_append(encoding, frame, &run->buffer);
    run->bytes = buf_bytes(&run->buffer); // it may have moved even when it failed
    if (rc) {
        return first ? rc : 1;
    }
    mark(run, frame, run->buffer.len);
    return 0;
}

static int add_slots(struct run *run, const struct feed *feed, uint32_t place) {
    int rc = 0;
    for (; rc == 0 && place < feed->slots.count; place++) {
        rc = add(run, feed->encoding, feed_slot(feed, place)->frame);
    }
    return rc < 0 ? rc : 0;
}

// Where in the run the bytes after this cursor begin.
static uint32_t mark_after(const struct run *run, event_id after) {
    uint32_t low = 0, high = run->count;
    if (after == run->after) {
        return 0;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->marks[middle].id <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static size_t offset_of(const struct run *run, uint32_t first) {
    return first ? run->marks[first - 1].end : 0;
}

static bool holds(const struct run *run, const struct feed *feed, event_id after) {
    return run->feed == feed && run->after <= after && after < run->last;
}

static int build(struct run *run, const struct feed *feed, event_id after) {
    uint32_t place = feed_find_slot(feed, after);
    start(run, feed, after);
    // Light load: one listener pass for one event. Its bytes exist already.
    if (feed->encoding == ENCODING_EVENT_STREAM && place + 1 == feed->slots.count) {
        set_lone(run, feed_slot(feed, place)->frame);
        return 0;
    }
    return add_slots(run, feed, place);
}

int run_cover(struct run *run, const struct feed *feed, event_id after, struct bytes *bytes) {
    int rc = 0;
    if (!holds(run, feed, after) || (run->lone && run->last < feed->newest)) {
        rc = build(run, feed, after);
    } else if (run->last < feed->newest) {
        rc = add_slots(run, feed, feed_find_slot(feed, run->last));
    }
    if (rc) {
        return rc;
    }
    size_t offset = offset_of(run, mark_after(run, after));
    *bytes = bytes_make(run->bytes.at + offset, run->bytes.len - offset);
    return 0;
}

int run_load(struct run *run, enum encoding encoding, struct frame *const *frames, size_t count,
             struct bytes *bytes) {
    start(run, NULL, 0);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add(run, encoding, frames[i]);
    }
    *bytes = run->bytes;
    return rc < 0 ? rc : 0;
}

uint32_t run_stamp(const struct run *run, event_id after) {
    return run->marks[mark_after(run, after)].frame->stamp;
}

size_t run_fit(const struct run *run, event_id after, uint64_t events, size_t bytes, bool one) {
    uint32_t first = mark_after(run, after);
    uint32_t place = run->count - first < events ? run->count : first + (uint32_t)events;
    size_t offset = offset_of(run, first);
    while (place > first && run->marks[place - 1].end - offset > bytes &&
           !(one && place == first + 1)) {
        place--;
    }
    return offset_of(run, place) - offset;
}

uint32_t run_account(const struct run *run, event_id after, size_t sent, event_id *id,
                     struct frame **part, uint32_t *part_sent) {
    uint32_t first = mark_after(run, after), place = first;
    size_t end = offset_of(run, first) + sent;
    if (end >= run->marks[run->count - 1].end) {
        place = run->count;
    }
    while (place < run->count && run->marks[place].end <= end) {
        place++;
    }
    *id = place > first ? run->marks[place - 1].id : after;
    size_t rest = end - offset_of(run, place);
    *part = rest ? run->marks[place].frame : NULL;
    *part_sent = (uint32_t)rest;
    return place - first;
}

int run_single(struct run *run, enum encoding encoding, struct frame *frame, struct bytes *bytes) {
    if (encoding == ENCODING_EVENT_STREAM || frame->raw) {
        *bytes = frame_bytes(frame);
        return 0;
    }
    empty(&run->single, run->limit);
    int rc = encoding_append(encoding, frame, &run->single);
    *bytes = buf_bytes(&run->single);
    return rc;
}
