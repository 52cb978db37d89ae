// The writer of text/event-stream: one event in, the bytes of one block out, such that a parser
// reads exactly that event back and nothing in it can end a line or the block early. The caller
// brings the memory, so the writer cannot run out of it; it keeps nothing and runs on any thread.
//
// Lines come in the order id, event, retry, data, because some clients ignore what stands after the
// data. CR, LF and CRLF in the data all end a line, and so all read back as LF.
#ifndef FRESHET_WRITER_H
#define FRESHET_WRITER_H

#include <freshet/event.h>

#ifdef __cplusplus
extern "C" {
#endif

// How many bytes the event takes, or FRESHET_ERR_INVALID: for data that is absent (a block without
// data is no event, and clients disagree on what its other fields do), for CR, LF or NUL in the id
// or the type, for a retry below -1, for text that is not UTF-8. An absent id writes no id line, an
// empty one writes a line that clears the last event ID. The flags do not matter.
FRESHET_API int64_t freshet_event_size(const struct freshet_event *event);

// Writes an event for which freshet_event_size() returned a size; returns that size. No terminator
// follows. The texts must not lie in `out`.
FRESHET_API size_t freshet_event_write(const struct freshet_event *event, char *out);

#ifdef __cplusplus
}
#endif

#endif
