// Records under a fuzzer. Whatever the bytes are, opening them is an error or gives a record in
// which every part lies inside; the frame made of it can be used like any other, and written down
// again it is a record of the same frame.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "hub/frame_record.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "frame_record";

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

static unsigned touch(struct bytes bytes) {
    unsigned sum = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        sum += (unsigned char)bytes.at[i];
    }
    return sum;
}

static unsigned use(const struct frame *frame) {
    uint32_t place = 0;
    struct bytes line;
    unsigned sum =
        touch(frame_bytes(frame)) + touch(frame_own_id(frame)) + touch(frame_type(frame));
    for (size_t i = 0; i < frame->topic_count; i++) {
        sum += touch(frame_topic(frame, i).text);
    }
    while (frame_next_line(frame, &place, &line)) {
        sum += touch(line);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct frame_record record, again;
    struct frame *frame, *copy;
    char *at = malloc(len ? len : 1);
    require(at != NULL);
    if (len) {
        memcpy(at, bytes, len);
    }
    int rc = frame_record_open(&record, bytes_make(at, len));
    require(rc == 0 || rc == ERR_INVALID);
    if (rc == 0) {
        (void)frame_record_intact(&record);
        require(frame_record_frame(&record, &mem_libc, 1, &frame) == 0);
        size_t size = frame_record_size(frame);
        char *written = malloc(size);
        require(written != NULL);
        frame_record_write(frame, written);
        require(frame_record_open(&again, bytes_make(written, size)) == 0);
        require(frame_record_intact(&again));
        require(frame_record_frame(&again, &mem_libc, 1, &copy) == 0);
        require(use(frame) == use(copy));
        frame_unref(copy);
        frame_unref(frame);
        free(written);
    }
    free(at);
    return 0;
}
