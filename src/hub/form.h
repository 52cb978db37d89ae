// The form in which a feed hands out its frames: how each is written, and whether the bytes of a run
// are deflated on top of that. Listeners share a feed only if they share its form.
#ifndef HUB_FORM_H
#define HUB_FORM_H

#include "hub/encoding.h"

struct form {
    enum encoding encoding;
    bool compressed;
};

#endif
