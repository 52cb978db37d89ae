// zlib's inflate for one stream at a time. Whatever follows the end of the packed data is an error,
// because a server of streams has no end.
#include "load/gunzip.h"

#include <stdlib.h>

#ifdef HAVE_ZLIB
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS };

struct gunzip {
    z_stream z;
    bool failed;
};

bool gunzip_is_built_in(void) {
    return true;
}

struct gunzip *gunzip_create(void) {
    struct gunzip *gunzip = calloc(1, sizeof(*gunzip));
    if (gunzip && inflateInit2(&gunzip->z, GZIP_ONLY) != Z_OK) {
        free(gunzip);
        return NULL;
    }
    return gunzip;
}

void gunzip_destroy(struct gunzip *gunzip) {
    if (gunzip) {
        inflateEnd(&gunzip->z);
        free(gunzip);
    }
}

bool gunzip_next(struct gunzip *gunzip, struct bytes *rest, char *into, size_t room,
                 struct bytes *out) {
    z_stream *z = &gunzip->z;
    z->next_in = (Bytef *)(uintptr_t)rest->at;
    z->avail_in = (uInt)rest->len;
    z->next_out = (Bytef *)into;
    z->avail_out = (uInt)room;
    int rc = inflate(z, Z_SYNC_FLUSH);
    *out = bytes_make(into, room - z->avail_out);
    if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END) {
        gunzip->failed = true;
        *out = bytes_make(into, 0);
        return false;
    }
    gunzip->failed = rc == Z_STREAM_END && z->avail_in;
    *rest = bytes_make((const char *)z->next_in, z->avail_in);
    return z->avail_out == 0;
}

bool gunzip_failed(const struct gunzip *gunzip) {
    return gunzip->failed;
}

#else

bool gunzip_is_built_in(void) {
    return false;
}

struct gunzip *gunzip_create(void) {
    return NULL;
}

void gunzip_destroy(struct gunzip *gunzip) {
    (void)gunzip;
}

bool gunzip_next(struct gunzip *gunzip, struct bytes *rest, char *into, size_t room,
                 struct bytes *out) {
    (void)gunzip;
    (void)rest;
    (void)room;
    *out = bytes_make(into, 0);
    return false;
}

bool gunzip_failed(const struct gunzip *gunzip) {
    (void)gunzip;
    return true;
}

#endif
