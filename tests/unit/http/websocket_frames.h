// Frames as a client sends them, good and bad, and what a reader makes of them in words. For the unit
// tests and the fuzzer, so it knows neither.
#ifndef TESTS_HTTP_WEBSOCKET_FRAMES_H
#define TESTS_HTTP_WEBSOCKET_FRAMES_H

#include "http/websocket_reader.h"

// Appends a frame with this first byte; masked.
void frames_add(struct buf *out, unsigned char first, struct bytes payload);

// Feeds it in pieces of `step` bytes, each in memory of its own size, and appends what comes of it:
// "text(…) ping(…) close(1000,…) failed(1002)". 0 or ERR_NOMEM of the reader.
int frames_read(struct bytes in, size_t step, size_t most, const struct mem *mem,
                struct buf *words);

#endif
