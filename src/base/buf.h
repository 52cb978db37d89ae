// A growable run of bytes with a ceiling. It owns its memory; it never grows past `max`.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/mem.h"

struct buf {
    const struct mem *mem;
    char *at;
    size_t len, cap, max;
};

// Allocates nothing. max 0 means no ceiling.
void buf_init(struct buf *buf, const struct mem *mem, size_t max);

// Frees the memory and leaves an empty buffer that can be used again.
void buf_finish(struct buf *buf);

// Room for `more` bytes after len: 0, ERR_NOMEM or ERR_TOO_LARGE.
int buf_reserve(struct buf *buf, size_t more);

// As buf_reserve; on failure the buffer is as it was. Inline, because most of what is appended is a
// few bytes, where there is room.
static inline int buf_append(struct buf *buf, const void *bytes, size_t len) {
    int rc = len > buf->cap - buf->len ? buf_reserve(buf, len) : 0;
    if (rc == 0 && len) {
        memcpy(buf->at + buf->len, bytes, len);
        buf->len += len;
    }
    return rc;
}

static inline int buf_append_text(struct buf *buf, const char *text) {
    return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Drops the first `n` bytes and moves the rest down.
void buf_consume(struct buf *buf, size_t n);

static inline void buf_clear(struct buf *buf) {
    buf->len = 0;
}

static inline struct bytes buf_bytes(const struct buf *buf) {
    return bytes_make(buf->at, buf->len);
}

#endif
