// The place of an event in the one total order. A single number, so that comparing two cursors is
// comparing two integers: 44 bits of milliseconds since 1970 above 20 bits of counter. When a
// millisecond holds more than a million events the counter carries into it. As text:
// `<milliseconds>-<counter>`.
#ifndef HUB_ID_H
#define HUB_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

typedef uint64_t event_id;

enum { ID_COUNTER_BITS = 20, ID_TEXT_MAX = 24 };

// The first id of a millisecond (times before 1970 and after 2527 are clamped).
event_id id_from_ms(int64_t ms);
int64_t id_to_ms(event_id id);

// Writes the text, not terminated, and returns its length (at most ID_TEXT_MAX).
size_t id_format(event_id id, char *out);

// Exactly the form that id_format writes (counter at most 20 bits).
bool id_parse(struct bytes text, event_id *out);

// Whether the text has the shape of an id of ours, in or out of range: digits, a minus, digits.
bool id_looks_like_one(struct bytes text);

#endif
