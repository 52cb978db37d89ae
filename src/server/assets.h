// The files of the console and the lab, which are part of the program: web/build.mjs writes them as C.
// A program that was built without Node has none. Read only: any thread, nothing fails.
#ifndef SERVER_ASSETS_H
#define SERVER_ASSETS_H

#include "base/bytes.h"

struct exchange;
struct http_request;

struct asset {
    const char *path; // as the URL has it
    const char *type;
    const char *etag, *etag_gzip; // with their quotes
    bool hashed;                  // the name changes with the content
    struct bytes plain, gzip;
};

extern const struct asset assets[]; // sorted by path
extern const size_t assets_count;

// NULL when there is none of that path.
const struct asset *assets_find(struct bytes path);

// Answers with it, compressed for who takes that, or with 304. The worker's thread.
void asset_answer(struct exchange *exchange, const struct http_request *req,
                  const struct asset *asset);

#endif
