// API keys: their text and its hash, and the file of them, line by line. The black-box test has the rest
// of what a file may not hold.
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "auth/api_keys.h"
#include "base/error.h"

static const char HASH[] =
    "sha256:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

static void test_a_new_key_is_one(void **state) {
    char a[API_KEY_TEXT], b[API_KEY_TEXT];
    unsigned char hash_a[API_KEY_HASH], hash_b[API_KEY_HASH];
    assert_int_equal(api_key_make(a), 0);
    assert_int_equal(api_key_make(b), 0);
    assert_memory_equal(a, "fk_", 3);
    assert_true(api_key_hash(bytes_make(a, sizeof(a)), hash_a));
    assert_true(api_key_hash(bytes_make(b, sizeof(b)), hash_b));
    assert_memory_not_equal(hash_a, hash_b, sizeof(hash_a));
}

// SHA-256 of the text, so that anyone can make a line with sha256sum.
static void test_the_hash_is_that_of_the_text(void **state) {
    static const char key[] = "fk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    static const unsigned char wanted[] = {0xcb, 0x20, 0x0e, 0x40, 0xc6, 0x1c, 0xa8, 0x60,
                                           0x79, 0x66, 0x34, 0xc9, 0xea, 0x6b, 0xf2, 0x66,
                                           0x3d, 0x76, 0x9a, 0x7e, 0x96, 0x47, 0x99, 0xa3,
                                           0xc3, 0xb9, 0x1a, 0x49, 0x99, 0xca, 0xe1, 0x2a};
    unsigned char hash[API_KEY_HASH];
    assert_true(api_key_hash(bytes_of(key), hash));
    assert_memory_equal(hash, wanted, sizeof(hash));
    assert_false(api_key_hash(bytes_make(key, sizeof(key) - 2), hash));
    assert_false(api_key_hash(bytes_make(key, sizeof(key)), hash)); // with its NUL
    assert_false(api_key_hash(bytes_of("fk_"), hash));
    assert_false(api_key_hash(bytes_of(""), hash));
    assert_false(api_key_hash(bytes_of("gk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), hash));
    assert_false(api_key_hash(bytes_of("fk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), hash));
}

static void test_a_line_grants_what_it_says(void **state) {
    char text[400], problem[API_KEYS_PROBLEM_MAX];
    unsigned char hash[API_KEY_HASH];
    struct api_keys *keys;
    snprintf(text, sizeof(text),
             "# a comment\n\nshop\t%s publish=a%%20b/* subscribe=c admin "
             "expires=2030-01-01T00:00:00Z\r\n",
             HASH);
    assert_int_equal(api_keys_create(&keys, bytes_of(text), problem), 0);
    for (int i = 0; i < API_KEY_HASH; i++) {
        hash[i] = (unsigned char)(i % 16 * 17);
    }
    const struct identity *identity = api_keys_find(keys, hash);
    assert_non_null(identity);
    const struct claims *claims = &identity->claims;
    assert_true(identity->by_key && claims->admin);
    assert_true(bytes_is(buf_bytes(&claims->subject), "shop"));
    assert_true(claims->expires_ms == INT64_C(1893456000000));
    assert_true(grants_cover(&claims->grants, bytes_of("a b/x"), RIGHT_PUBLISH));
    assert_false(grants_cover(&claims->grants, bytes_of("a b/x"), RIGHT_SUBSCRIBE));
    assert_true(grants_cover(&claims->grants, bytes_of("c"), RIGHT_SUBSCRIBE));
    assert_false(grants_cover(&claims->grants, bytes_of("d"), RIGHT_SUBSCRIBE));
    hash[31] ^= 1;
    assert_null(api_keys_find(keys, hash));
    assert_null(api_keys_find(NULL, hash));
    api_keys_unref(keys);
}

static void test_each_of_many_is_found(void **state) {
    enum { MANY = 1000 };
    char problem[API_KEYS_PROBLEM_MAX], name[16];
    struct api_keys *keys;
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(buf_printf(&text, "k%u sha256:%08x%056u\n", i, i * 2654435761U, 0U), 0);
    }
    assert_int_equal(api_keys_create(&keys, buf_bytes(&text), problem), 0);
    assert_true(api_keys_has_name(buf_bytes(&text), bytes_of("k999")));
    assert_false(api_keys_has_name(buf_bytes(&text), bytes_of("k1000")));
    for (unsigned i = 0; i < MANY; i++) {
        uint32_t first = i * 2654435761U;
        unsigned char hash[API_KEY_HASH] = {(unsigned char)(first >> 24),
                                            (unsigned char)(first >> 16),
                                            (unsigned char)(first >> 8), (unsigned char)first};
        snprintf(name, sizeof(name), "k%u", i);
        assert_true(bytes_is(buf_bytes(&api_keys_find(keys, hash)->claims.subject), name));
    }
    struct api_keys *again = api_keys_ref(keys);
    api_keys_unref(keys);
    assert_int_equal(again->count, MANY);
    api_keys_unref(again);
    buf_finish(&text);
}

static void assert_refused(const char *rest, const char *why) {
    char text[600], problem[API_KEYS_PROBLEM_MAX];
    struct api_keys *keys;
    snprintf(text, sizeof(text), "#\nname %s%s", HASH, rest);
    assert_int_equal(api_keys_create(&keys, bytes_of(text), problem), ERR_INVALID);
    assert_null(keys);
    assert_non_null(strstr(problem, "line 2: "));
    assert_non_null(strstr(problem, why));
}

static void test_what_is_not_known_is_refused(void **state) {
    assert_refused("0", "after the name");
    assert_refused(" Admin", "after the hash");
    assert_refused(" admin=1", "after the hash");
    assert_refused(" publish", "after the hash");
    assert_refused(" publish=", "name");
    assert_refused(" publish=a//%2", "escape");
    assert_refused(" subscribe=a/**/b", "**");
    assert_refused(" expires=0", "expires");
    assert_refused(" expires=2030-01-01", "expires");
}

static void test_a_pattern_survives_the_line(void **state) {
    char problem[API_KEYS_PROBLEM_MAX];
    const char *pattern = "a b%20/#\t/é";
    unsigned char hash[API_KEY_HASH];
    struct api_keys *keys;
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(buf_printf(&text, "n %s publish=", HASH), 0);
    assert_int_equal(api_keys_append_pattern(&text, bytes_of("a b%20/#/é")), 0);
    assert_int_equal(api_keys_create(&keys, buf_bytes(&text), problem), 0);
    for (int i = 0; i < API_KEY_HASH; i++) {
        hash[i] = (unsigned char)(i % 16 * 17);
    }
    const struct identity *identity = api_keys_find(keys, hash);
    assert_true(grants_cover(&identity->claims.grants, bytes_of("a b%20/#/é"), RIGHT_PUBLISH));
    assert_false(grants_cover(&identity->claims.grants, bytes_of(pattern), RIGHT_PUBLISH));
    api_keys_unref(keys);
    buf_finish(&text);
}

static void test_names(void **state) {
    char longest[API_KEY_NAME_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    assert_null(api_keys_name_problem(bytes_make(longest, API_KEY_NAME_MAX)));
    assert_non_null(api_keys_name_problem(bytes_make(longest, API_KEY_NAME_MAX + 1)));
    assert_null(api_keys_name_problem(bytes_of("a.B-c_9")));
    static const char *const bad[] = {"", "#a", "a b", "a/b", "a=b", "é", "a\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(api_keys_name_problem(bytes_of(bad[i])));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_key_is_one),
        cmocka_unit_test(test_the_hash_is_that_of_the_text),
        cmocka_unit_test(test_a_line_grants_what_it_says),
        cmocka_unit_test(test_each_of_many_is_found),
        cmocka_unit_test(test_what_is_not_known_is_refused),
        cmocka_unit_test(test_a_pattern_survives_the_line),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
