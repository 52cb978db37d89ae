// Whether what a listener gets is compressed: if the program can, the settings let it, and the request
// asks for it; and compressing answers that are whole.
#ifndef SERVER_COMPRESSION_H
#define SERVER_COMPRESSION_H

#include "server/exchange.h"
#include "server/settings.h"

struct wish;

// For this request, whose names have been read.
bool compression_wanted(const struct settings *settings, const struct wish *wish,
                        const struct http_request *req);

// Adds what caches must know: which headers of a request decided.
void compression_add_vary(const struct settings *settings, struct reply *reply);

// Puts a compressed body in place of the reply's, if it is shorter. `into` is empty, holds it, and
// must outlive the reply.
void compression_apply(struct worker *worker, struct reply *reply, struct buf *into);

#endif
