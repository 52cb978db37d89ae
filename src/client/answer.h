// What a server's JSON answers say: the sentence of a problem, the ids of what was published. Reads
// whatever comes; an answer that is no JSON says nothing. Any thread.
#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include "base/bytes.h"
#include "base/mem.h"

// The `detail` of an application/problem+json body, or else its `title`, as a text of one line with
// its control characters replaced, cut to fit. False, and an empty text, when there is neither.
bool answer_detail(const struct mem *mem, struct bytes body, char *out, size_t size);

// One item of the answer to a publish: an id, or the sentence why there is none.
typedef void answer_item(void *user_data, struct bytes id, const char *detail);

// Calls `visit` for an object, or for each object of an array, in order. ERR_INVALID when the body
// is neither (some items may have been visited), or ERR_NOMEM.
int answer_items(const struct mem *mem, struct bytes body, answer_item *visit, void *user_data);

#endif
