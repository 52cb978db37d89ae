// A pool of records, written once, of which each event gets a piece from somewhere. The pool is larger
// than the window of deflate, so that no event is a copy of one that a listener's window still has.
#include "load/filler.h"

#include <inttypes.h>

#include "base/random.h"

enum { SPREAD = 256 * 1024, RECORD_MAX = 128 };

static int append_record(struct buf *pool, struct random *random) {
    char name[5];
    for (int i = 0; i < 4; i++) {
        name[i] = (char)random_between(random, 'A', 'Z');
    }
    name[4] = '\0';
    return buf_printf(pool,
                      "{\"symbol\":\"%s\",\"price\":%" PRId64 ".%02" PRId64 ",\"volume\":%" PRId64
                      ",\"side\":\"%s\",\"seller\":%" PRId64 "},",
                      name, random_between(random, 1, 999), random_between(random, 0, 99),
                      random_between(random, 1, 99999),
                      random_between(random, 0, 1) ? "buy" : "sell",
                      random_between(random, 100000, 999999));
}

int filler_init(struct filler *filler, bool json, size_t size) {
    struct random random = {.state = 1};
    int rc = 0;
    buf_init(&filler->pool, &mem_libc, 0);
    filler->room = json ? SPREAD : 0;
    while (rc == 0 && filler->pool.len < size + filler->room + RECORD_MAX) {
        rc = json ? append_record(&filler->pool, &random)
                  : buf_append_text(&filler->pool, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
    return rc;
}

void filler_finish(struct filler *filler) {
    buf_finish(&filler->pool);
}

struct bytes filler_piece(const struct filler *filler, uint32_t number, size_t len) {
    // Neighbours lie far apart.
    size_t at = filler->room ? (size_t)number * 40009u % filler->room : 0;
    const char *record = memchr(filler->pool.at + at, '{', RECORD_MAX);
    return bytes_make(record ? record : filler->pool.at + at, len);
}
