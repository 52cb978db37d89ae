// What the parser needs beyond freshet_utf8_check(): malformed UTF-8 made well-formed as the WHATWG
// Encoding standard decodes it, with one U+FFFD for each maximal subpart. Internal to the library.
#ifndef STREAM_UTF8_H
#define STREAM_UTF8_H

#include "stream/space.h"

// Appends the text, repaired; `valid` is what freshet_utf8_check() said of it. 0, FRESHET_ERR_NOMEM
// or FRESHET_ERR_TOO_LARGE, and then part of the text may have been appended.
int freshet_utf8_append(struct space *space, struct freshet_text text, size_t valid);

#endif
