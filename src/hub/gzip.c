// The deflater begins anew with each block, so that a block depends on nothing but what it is given,
// whoever got what before. What deflating does not make shorter is stored.
#include "hub/gzip.h"

#include <zlib.h>

#include "base/error.h"

enum {
    STORED_MAX = 65535,
    STORED_HEAD = 5,
    LEVEL = 6,
    MEMORY_LEVEL = 8,
};

static const char empty_block[STORED_HEAD] = {0, 0, 0, '\xff', '\xff'};

struct gzip_deflater {
    const struct mem *mem;
    z_stream z;
};

bool gzip_available(void) {
    return true;
}

struct gzip_piece gzip_piece_of(struct bytes plain) {
    return (struct gzip_piece){
        .crc = (uint32_t)crc32_z(0, (const Bytef *)plain.at, plain.len),
        .len = (uint32_t)plain.len,
        .shift = (uint32_t)crc32_combine_gen((z_off_t)plain.len),
    };
}

void gzip_sum_add(struct gzip_sum *sum, const struct gzip_piece *piece) {
    sum->crc = (uint32_t)crc32_combine_op(sum->crc, piece->crc, piece->shift);
    sum->len += piece->len;
}

int gzip_append_header(struct buf *out) {
    // No name, no time; "unknown" as the system that made it.
    static const char header[GZIP_HEADER_SIZE] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
    return buf_append(out, header, sizeof(header));
}

static void write_stored_head(char *out, bool last, size_t len) {
    out[0] = last ? 1 : 0;
    out[1] = (char)(len & 0xff);
    out[2] = (char)(len >> 8);
    out[3] = (char)(~len & 0xff);
    out[4] = (char)((~len >> 8) & 0xff);
}

static size_t stored_size(size_t len) {
    return len + STORED_HEAD * ((len + STORED_MAX - 1) / STORED_MAX + 1);
}

int gzip_append_stored(struct buf *out, struct bytes plain) {
    int rc = plain.len ? buf_reserve(out, stored_size(plain.len)) : 0;
    if (rc || plain.len == 0) {
        return rc;
    }
    while (plain.len) {
        size_t len = plain.len < STORED_MAX ? plain.len : STORED_MAX;
        write_stored_head(out->at + out->len, false, len);
        memcpy(out->at + out->len + STORED_HEAD, plain.at, len);
        out->len += STORED_HEAD + len;
        plain = bytes_make(plain.at + len, plain.len - len);
    }
    return buf_append(out, empty_block, sizeof(empty_block));
}

static char *write_u32(char *out, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        *out++ = (char)(value >> (8 * i) & 0xff);
    }
    return out;
}

size_t gzip_write_end(char *out, struct bytes last, struct gzip_sum sum) {
    write_stored_head(out, true, last.len);
    char *at = out + STORED_HEAD;
    if (last.len) {
        memcpy(at, last.at, last.len);
    }
    at = write_u32(at + last.len, sum.crc);
    return (size_t)(write_u32(at, sum.len) - out);
}

static voidpf allocate(voidpf ctx, uInt items, uInt size) {
    return mem_alloc(ctx, (size_t)items * size);
}

static void release(voidpf ctx, voidpf at) {
    mem_free(ctx, at);
}

int gzip_deflater_create(struct gzip_deflater **out, const struct mem *mem) {
    struct gzip_deflater *deflater = mem_new(mem, sizeof(*deflater));
    if (!deflater) {
        return ERR_NOMEM;
    }
    deflater->mem = mem;
    deflater->z.zalloc = allocate;
    deflater->z.zfree = release;
    deflater->z.opaque = (voidpf)(uintptr_t)mem;
    // Negative: no frame around the blocks, which is written here.
    if (deflateInit2(&deflater->z, LEVEL, Z_DEFLATED, -MAX_WBITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        mem_free(mem, deflater);
        return ERR_NOMEM;
    }
    *out = deflater;
    return 0;
}

void gzip_deflater_destroy(struct gzip_deflater **deflater) {
    if (*deflater) {
        deflateEnd(&(*deflater)->z);
        mem_free((*deflater)->mem, *deflater);
        *deflater = NULL;
    }
}

static const Bytef *input(const char *at) {
    return (const Bytef *)at;
}

// Whether all of it fitted, and with room to spare: only then has the flush been written whole.
static bool deflate_within(z_stream *z, struct bytes before, struct bytes plain, char *out,
                           size_t room) {
    deflateReset(z);
    if (before.len) {
        size_t len = before.len < GZIP_WINDOW ? before.len : GZIP_WINDOW;
        deflateSetDictionary(z, input(before.at + before.len - len), (uInt)len);
    }
    z->next_in = (z_const Bytef *)(uintptr_t)plain.at;
    z->avail_in = (uInt)plain.len;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)room;
    // After a reset this is what a full flush is.
    return deflate(z, Z_SYNC_FLUSH) == Z_OK && z->avail_in == 0 && z->avail_out > 0;
}

int gzip_deflate(struct gzip_deflater *deflater, struct bytes before, struct bytes plain,
                 struct buf *out) {
    size_t room = stored_size(plain.len);
    if (plain.len > UINT32_MAX / 2) {
        return ERR_TOO_LARGE;
    }
    int rc = plain.len ? buf_reserve(out, room) : 0;
    if (rc || plain.len == 0) {
        return rc;
    }
    z_stream *z = &deflater->z;
    if (!deflate_within(z, before, plain, out->at + out->len, room)) {
        return gzip_append_stored(out, plain);
    }
    out->len += room - z->avail_out;
    return 0;
}
