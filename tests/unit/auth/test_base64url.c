// Against the standard's examples, and there and back for every length.
#include "support.h"

#include "auth/base64url.h"
#include "base/error.h"
#include "base/random.h"

static void test_examples(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        buf_clear(&out);
        assert_int_equal(base64url_decode(bytes_of(pairs[i][1]), &out), 0);
        assert_true(bytes_is(buf_bytes(&out), pairs[i][0]));
        buf_clear(&out);
        assert_int_equal(base64url_encode(bytes_of(pairs[i][0]), &out), 0);
        assert_true(bytes_is(buf_bytes(&out), pairs[i][1]));
    }
    buf_finish(&out);
}

static void test_there_and_back(void **state) {
    (void)state;
    char bytes[100];
    struct buf text, back;
    buf_init(&text, &mem_libc, 0);
    buf_init(&back, &mem_libc, 0);
    assert_int_equal(random_seed(bytes, sizeof(bytes)), 0);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        buf_clear(&text);
        buf_clear(&back);
        assert_int_equal(base64url_encode(bytes_make(bytes, len), &text), 0);
        assert_int_equal(base64url_decode(buf_bytes(&text), &back), 0);
        assert_true(bytes_equal(buf_bytes(&back), bytes_make(bytes, len)));
    }
    buf_finish(&text);
    buf_finish(&back);
}

static void test_refuses(void **state) {
    (void)state;
    static const char *const bad[] = {"Z",    "Zm9vY", "Zg==", "Zm8=", "Zm 8",   "Zm8\n",
                                      "Zm+v", "Zm/v",  "Zh",   "Zm9",  "\x80m9v"};
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(buf_append_text(&out, "kept"), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(base64url_decode(bytes_of(bad[i]), &out), ERR_INVALID);
        assert_true(bytes_is(buf_bytes(&out), "kept"));
    }
    buf_finish(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
