// A reader of a gzip body without its header, as strict as a reader can be: what it is given it hands
// out at once, and at the end the sum must be right.
#ifndef TESTS_HUB_INFLATED_H
#define TESTS_HUB_INFLATED_H

#include "support.h"

#include "base/buf.h"
#include "hub/gzip.h"

struct inflater;

// Starts with {0}, and allocates for itself.
struct inflated {
    struct inflater *inflater;
    bool ended; // it came to its end, and that was right
};

// Appends what these bytes say. Asserts that they are gzip, and nothing follows the end.
void inflated_take(struct inflated *inflated, struct bytes bytes, struct buf *out);

void inflated_finish(struct inflated *inflated);

#endif
