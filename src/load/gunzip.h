// Unpacking a body that came with Content-Encoding: gzip, as it comes. A build without zlib cannot.
// About 40 kB each. One thread at a time.
#ifndef LOAD_GUNZIP_H
#define LOAD_GUNZIP_H

#include <stdbool.h>

#include "base/bytes.h"

struct gunzip;

bool gunzip_is_built_in(void);

// NULL when there is no memory, or no zlib.
struct gunzip *gunzip_create(void);
void gunzip_destroy(struct gunzip *gunzip);

// Takes what it can from *rest, and gives in *out (in `room` bytes at `into`) what it stands for. True
// when it may have more for the same *rest; false when it is used up. On an error *rest is left as
// it is, *out is empty, and gunzip_failed.
bool gunzip_next(struct gunzip *gunzip, struct bytes *rest, char *into, size_t room,
                 struct bytes *out);
bool gunzip_failed(const struct gunzip *gunzip);

#endif
