// An event of a history as a line of an export: a JSON object that `freshet history import` and
// POST /events take. The same event is always the same bytes. Pure.
#ifndef CLI_HISTORY_LINE_H
#define CLI_HISTORY_LINE_H

#include "base/buf.h"
#include "hub/frame.h"

// Appends {"at":…,"topic":…,"event":…,"id":…,"key":…,"retry":…,"data":…} and a line feed; members
// that say nothing are left out, and `topics` stands for several. 0, or the buffer's error, and then
// `out` is as it was.
int history_line_append(struct buf *out, const struct frame *frame);

#endif
