// A frame as bytes that outlive the process: little-endian, the same on every machine, laid out like
// the frame itself, so that reading one back is a look at the lengths and one copy. Pure: no files.
// The id is not in it; whoever keeps records keeps them by their ids.
#ifndef HUB_FRAME_RECORD_H
#define HUB_FRAME_RECORD_H

#include "hub/frame.h"

// A record that was looked at: views into its bytes, valid as long as those are. Every length is
// checked, so that no record, however damaged, leads a reader outside of it.
struct frame_record {
    struct once once;
    struct bytes names;                              // of the topics, one behind the other
    struct bytes key;                                // of no bytes: it has none
    struct bytes stream;                             // the event-stream bytes
    uint32_t own_id_len, type_at, type_len, data_at; // as in the frame, but counted in the stream
    uint16_t topic_count;
    bool private;
    uint32_t check;
    const char *topics;   // a hash and a length each
    struct bytes checked; // what the check is of
};

// A walk over the topics: start with {0}.
struct frame_record_topics {
    uint32_t place, at;
};

size_t frame_record_size(const struct frame *frame);

// Writes frame_record_size bytes. The frame is sealed, and not a raw one.
void frame_record_write(const struct frame *frame, char *out);

// 0, or ERR_INVALID when this is no record.
int frame_record_open(struct frame_record *record, struct bytes bytes);

// Whether the bytes are still those that were written. Not part of opening: it reads all of them.
bool frame_record_intact(const struct frame_record *record);

// False after the last. The hash is the one that was written: it means something with the same key.
bool frame_record_next_topic(const struct frame_record *record, struct frame_record_topics *walk,
                             struct topic_name *topic);

struct bytes frame_record_own_id(const struct frame_record *record);
struct bytes frame_record_type(const struct frame_record *record);

// The frame again, with one reference for the caller: 0 or ERR_NOMEM.
int frame_record_frame(const struct frame_record *record, const struct mem *mem, event_id id,
                       struct frame **out);

#endif
