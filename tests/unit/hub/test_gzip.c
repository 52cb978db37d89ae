// The parts of a gzip body: each block gives back what went into it as soon as its last byte is
// there, nothing grows by more than a few bytes, and the end has the sum of all.
#include "hub/gzip.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "hub/inflated.h"

struct scene {
    struct gzip_deflater *deflater;
    struct inflated reader;
    struct gzip_sum sum;
    struct buf block, got;
};

static void begin(struct scene *scene) {
    *scene = (struct scene){0};
    assert_int_equal(gzip_deflater_create(&scene->deflater, &mem_libc), 0);
    buf_init(&scene->block, &mem_libc, 0);
    buf_init(&scene->got, &mem_libc, 0);
}

static void finish(struct scene *scene) {
    gzip_deflater_destroy(&scene->deflater);
    assert_null(scene->deflater);
    inflated_finish(&scene->reader);
    buf_finish(&scene->block);
    buf_finish(&scene->got);
}

// Reads the block that was appended, and finds in it what went in, no less and no more.
static void read_back(struct scene *scene, struct bytes plain) {
    struct gzip_piece piece = gzip_piece_of(plain);
    gzip_sum_add(&scene->sum, &piece);
    buf_clear(&scene->got);
    inflated_take(&scene->reader, buf_bytes(&scene->block), &scene->got);
    assert_int_equal(scene->got.len, plain.len);
    if (plain.len) {
        assert_memory_equal(scene->got.at, plain.at, plain.len);
    }
    if (scene->block.len) {
        assert_memory_equal(scene->block.at + scene->block.len - 4, "\0\0\xff\xff", 4);
    }
    buf_clear(&scene->block);
}

static void deflate_one(struct scene *scene, struct bytes before, struct bytes plain) {
    assert_int_equal(gzip_deflate(scene->deflater, before, plain, &scene->block), 0);
    assert_true(scene->block.len <= plain.len + 5 * (plain.len / 65535 + 2));
    read_back(scene, plain);
}

static void store_one(struct scene *scene, struct bytes plain) {
    assert_int_equal(gzip_append_stored(&scene->block, plain), 0);
    read_back(scene, plain);
}

static void end(struct scene *scene, const char *last) {
    char *bytes = malloc(GZIP_END_SIZE + strlen(last));
    struct gzip_piece piece = gzip_piece_of(bytes_of(last));
    gzip_sum_add(&scene->sum, &piece);
    size_t len = gzip_write_end(bytes, bytes_of(last), scene->sum);
    assert_int_equal(len, GZIP_END_SIZE + strlen(last));
    buf_clear(&scene->got);
    inflated_take(&scene->reader, bytes_make(bytes, len), &scene->got);
    assert_true(scene->reader.ended);
    assert_int_equal(scene->got.len, strlen(last));
    free(bytes);
}

static void test_header(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(gzip_append_header(&out), 0);
    assert_int_equal(out.len, GZIP_HEADER_SIZE);
    assert_memory_equal(out.at, "\x1f\x8b\x08\x00", 4);
    buf_finish(&out);
}

static void test_blocks(void **state) {
    struct scene scene;
    struct bytes event = bytes_of("data: {\"a\":1,\"b\":\"something\"}\n\n");
    begin(&scene);
    store_one(&scene, bytes_of(":\nretry: 3000\n"));
    deflate_one(&scene, bytes_make("", 0), event);
    deflate_one(&scene, event, event);
    store_one(&scene, bytes_make("", 0));
    deflate_one(&scene, bytes_make("", 0), bytes_make("", 0));
    deflate_one(&scene, event, bytes_of("\n"));
    end(&scene, "retry: 4000\n");
    finish(&scene);
}

static void test_empty_body(void **state) {
    struct scene scene;
    begin(&scene);
    end(&scene, "");
    finish(&scene);
}

static void fill(struct random *dice, char *at, size_t len, int64_t letters) {
    for (size_t i = 0; i < len; i++) {
        at[i] = (char)random_between(dice, 0, letters);
    }
}

// What cannot be deflated, at the sizes where one more stored block begins.
static void test_random(void **state) {
    static const size_t sizes[] = {1, 2, 300, 32768, 65534, 65535, 65536, 131070, 131071, 300000};
    struct random dice = {.state = 5};
    char *text = malloc(300000);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct scene scene;
        begin(&scene);
        for (int64_t letters = 0; letters < 256; letters = 2 * letters + 1) {
            fill(&dice, text, sizes[i], letters);
            deflate_one(&scene, bytes_make("", 0), bytes_make(text, sizes[i]));
            deflate_one(&scene, bytes_make(text, sizes[i]), bytes_make(text, sizes[i]));
            store_one(&scene, bytes_make(text, sizes[i]));
        }
        end(&scene, "");
        finish(&scene);
    }
    free(text);
}

// A text like the one before takes a third of what it takes alone.
static void test_before(void **state) {
    struct scene scene;
    struct bytes one =
        bytes_of("data: {\"symbol\":\"ABCD\",\"price\":10.25,\"currency\":\"USD\"}\n\n");
    struct bytes two =
        bytes_of("data: {\"symbol\":\"EFGH\",\"price\":11.75,\"currency\":\"USD\"}\n\n");
    begin(&scene);
    assert_int_equal(gzip_deflate(scene.deflater, bytes_make("", 0), two, &scene.block), 0);
    size_t alone = scene.block.len;
    buf_clear(&scene.block);
    assert_int_equal(gzip_deflate(scene.deflater, one, two, &scene.block), 0);
    assert_true(scene.block.len < alone / 2);
    finish(&scene);
}

static void test_without_memory(void **state) {
    struct test_mem mem;
    test_mem_init(&mem);
    struct gzip_deflater *deflater = NULL;
    for (mem.fail_at = 1;; mem.fail_at++) {
        mem.calls = 0;
        if (gzip_deflater_create(&deflater, &mem.mem) == 0) {
            break;
        }
        assert_null(deflater);
        assert_int_equal(mem.alive, 0);
    }
    assert_true(mem.fail_at > 2);
    assert_true(mem.bytes < 300000);
    gzip_deflater_destroy(&deflater);
    gzip_deflater_destroy(&deflater);
    test_mem_finish(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),     cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_empty_body), cmocka_unit_test(test_random),
        cmocka_unit_test(test_before),     cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
