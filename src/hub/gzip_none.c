// In place of gzip.c in a program built without zlib: nobody is offered compression, so nothing else
// here is ever asked for.
#include "base/error.h"
#include "hub/gzip.h"

bool gzip_available(void) {
    return false;
}

struct gzip_piece gzip_piece_of(struct bytes plain) {
    (void)plain;
    return (struct gzip_piece){0};
}

void gzip_sum_add(struct gzip_sum *sum, const struct gzip_piece *piece) {
    (void)sum;
    (void)piece;
}

int gzip_append_header(struct buf *out) {
    (void)out;
    return ERR_INVALID;
}

int gzip_append_stored(struct buf *out, struct bytes plain) {
    (void)out;
    (void)plain;
    return ERR_INVALID;
}

size_t gzip_write_end(char *out, struct bytes last, struct gzip_sum sum) {
    (void)out;
    (void)last;
    (void)sum;
    return 0;
}

int gzip_deflater_create(struct gzip_deflater **out, const struct mem *mem) {
    (void)mem;
    *out = NULL;
    return ERR_INVALID;
}

void gzip_deflater_destroy(struct gzip_deflater **deflater) {
    *deflater = NULL;
}

int gzip_deflate(struct gzip_deflater *deflater, struct bytes before, struct bytes plain,
                 struct buf *out) {
    (void)deflater;
    (void)before;
    (void)plain;
    (void)out;
    return ERR_INVALID;
}
