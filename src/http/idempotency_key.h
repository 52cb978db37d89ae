// The value of the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a string in
// quotes, as the draft has it, or the bare text that many publishers send. Pure: any thread.
#ifndef HTTP_IDEMPOTENCY_KEY_H
#define HTTP_IDEMPOTENCY_KEY_H

#include "base/bytes.h"

enum { HTTP_KEY_MAX = 255 };

// Writes the key, without quotes and backslashes that quote, to `out`, and returns its length, at least
// 1. ERR_INVALID when it is neither form, or empty; ERR_TOO_LARGE when it is longer than
// HTTP_KEY_MAX.
int http_idempotency_key(struct bytes value, char out[HTTP_KEY_MAX]);

#endif
