// zlib's inflate, and the sum beside it, which is not taken from the code under test.
#include "hub/inflated.h"

#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 4096, SUM_SIZE = 8 };

struct inflater {
    z_stream z;
    uLong crc, len;
    unsigned char sum[SUM_SIZE];
    size_t sum_len;
    bool whole;
};

static struct inflater *need_inflater(struct inflated *inflated) {
    if (!inflated->inflater) {
        inflated->inflater = calloc(1, sizeof(*inflated->inflater));
        assert_non_null(inflated->inflater);
        assert_int_equal(inflateInit2(&inflated->inflater->z, -MAX_WBITS), Z_OK);
    }
    return inflated->inflater;
}

static void take_blocks(struct inflater *in, struct buf *out) {
    while (!in->whole) {
        unsigned char piece[PIECE];
        in->z.next_out = piece;
        in->z.avail_out = PIECE;
        int rc = inflate(&in->z, Z_SYNC_FLUSH);
        assert_true(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
        size_t len = PIECE - in->z.avail_out;
        in->crc = crc32(in->crc, piece, (uInt)len);
        in->len += len;
        in->whole = rc == Z_STREAM_END;
        assert_int_equal(buf_append(out, piece, len), 0);
        if (in->z.avail_in == 0 && len < PIECE) {
            return;
        }
    }
}

static uint32_t read_u32(const unsigned char *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void inflated_take(struct inflated *inflated, struct bytes bytes, struct buf *out) {
    struct inflater *in = need_inflater(inflated);
    assert_true(bytes.len == 0 || !inflated->ended);
    in->z.next_in = (z_const Bytef *)(uintptr_t)bytes.at;
    in->z.avail_in = (uInt)bytes.len;
    take_blocks(in, out);
    for (; in->whole && in->z.avail_in; in->z.avail_in--) {
        assert_true(in->sum_len < SUM_SIZE);
        in->sum[in->sum_len++] = *in->z.next_in++;
    }
    if (in->sum_len == SUM_SIZE && !inflated->ended) {
        assert_int_equal(read_u32(in->sum), (uint32_t)in->crc);
        assert_int_equal(read_u32(in->sum + 4), (uint32_t)in->len);
        inflated->ended = true;
    }
}

void inflated_finish(struct inflated *inflated) {
    if (inflated->inflater) {
        inflateEnd(&inflated->inflater->z);
        free(inflated->inflater);
        *inflated = (struct inflated){0};
    }
}
