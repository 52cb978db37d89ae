// The WebSocket reader under a fuzzer: whatever comes, and however it is cut, the same comes of it;
// texts are UTF-8 within their limit, and between messages nothing is kept.
#include <stdlib.h>

#include "http/websocket_frames.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "websocket";

enum { MOST = 5000 };

static void read_in(struct bytes in, size_t step, struct buf *words) {
    buf_init(words, &mem_libc, 0);
    if (frames_read(in, step, MOST, &mem_libc, words)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct bytes in = bytes_make((const char *)bytes, len);
    struct buf whole, words;
    if (len == 0) {
        return 0;
    }
    read_in(in, len, &whole);
    const size_t steps[] = {1, 1 + bytes[len - 1] % 16};
    for (size_t i = 0; i < 2; i++) {
        read_in(in, steps[i], &words);
        if (!bytes_equal(buf_bytes(&whole), buf_bytes(&words))) {
            abort();
        }
        buf_finish(&words);
    }
    buf_finish(&whole);
    return 0;
}
