// The growable buffer. It doubles, so appending is linear over its life, and stops at its ceiling.
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

void buf_init(struct buf *buf, const struct mem *mem, size_t max) {
    *buf = (struct buf){.mem = mem, .max = max ? max : SIZE_MAX / 2};
}

void buf_finish(struct buf *buf) {
    mem_free(buf->mem, buf->at);
    buf->at = NULL;
    buf->len = buf->cap = 0;
}

int buf_reserve(struct buf *buf, size_t more) {
    if (more > buf->max || buf->len > buf->max - more) {
        return ERR_TOO_LARGE;
    }
    size_t need = buf->len + more;
    if (need <= buf->cap) {
        return 0;
    }
    size_t cap = buf->cap ? buf->cap * 2 : 256;
    cap = cap < need ? need : cap;
    cap = cap > buf->max ? buf->max : cap;
    char *at = mem_resize(buf->mem, buf->at, cap);
    if (!at) {
        return ERR_NOMEM;
    }
    buf->at = at;
    buf->cap = cap;
    return 0;
}

int buf_printf(struct buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    // vsnprintf writes a terminator that the buffer then does not count.
    int rc = need < 0 ? ERR_INVALID : buf_reserve(buf, (size_t)need + 1);
    if (rc) {
        return rc;
    }
    va_start(args, format);
    vsnprintf(buf->at + buf->len, (size_t)need + 1, format, args);
    va_end(args);
    buf->len += (size_t)need;
    return 0;
}

void buf_consume(struct buf *buf, size_t n) {
    buf->len -= n;
    if (buf->len) {
        memmove(buf->at, buf->at + n, buf->len);
    }
}
