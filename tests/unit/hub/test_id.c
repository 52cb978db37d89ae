// Ids: order, text, and nothing that would give one id two spellings.
#include "support.h"

#include "hub/id.h"

static const event_id samples[] = {
    0, 1, 9, 10, 1048575, 1048576, 1048577, 1700000000000ULL << 20, UINT64_MAX - 1, UINT64_MAX,
};

static void test_text_and_back(void **state) {
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        char text[ID_TEXT_MAX];
        event_id back;
        size_t len = id_format(samples[i], text);
        assert_true(len <= ID_TEXT_MAX);
        assert_true(id_parse(bytes_make(text, len), &back));
        assert_true(back == samples[i]);
        assert_true(id_looks_like_one(bytes_make(text, len)));
    }
}

static void assert_text(event_id id, const char *text) {
    char out[ID_TEXT_MAX];
    assert_true(bytes_is(bytes_make(out, id_format(id, out)), text));
}

static void test_spelling(void **state) {
    assert_text(0, "0-0");
    assert_text(1048576, "1-0");
    assert_text((UINT64_C(1700000000000) << 20) + 7, "1700000000000-7");
    assert_text(UINT64_MAX, "17592186044415-1048575");
}

static void test_refused(void **state) {
    static const char *const bad[] = {
        "",
        "-",
        "1",
        "1-",
        "-1",
        "01-0",
        "1-00",
        "1-01",
        "1-1048576",
        "17592186044416-0",
        "+1-0",
        "1--1",
        "1-1-1",
        " 1-1",
        "1-1 ",
        "1-1x",
        "a-b",
        "99999999999999999999-0",
        "1-99999999999999999999",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        event_id id = 42;
        assert_false(id_parse(bytes_of(bad[i]), &id));
        assert_int_equal(id, 42);
    }
    assert_false(id_parse(bytes_make(NULL, 0), &(event_id){0}));
    assert_false(id_parse(bytes_make("1-1\0", 4), &(event_id){0}));
}

static void test_looks(void **state) {
    assert_true(id_looks_like_one(bytes_of("01-99999999999999999999999")));
    assert_false(id_looks_like_one(bytes_of("1-1-1")));
    assert_false(id_looks_like_one(bytes_of("-1")));
    assert_false(id_looks_like_one(bytes_of("")));
    assert_false(id_looks_like_one(bytes_of("my-id")));
}

static void test_clamped(void **state) {
    assert_true(id_from_ms(-5) == 0);
    assert_true(id_from_ms(INT64_MAX) == UINT64_MAX >> 20 << 20);
    assert_int_equal(id_to_ms(id_from_ms(1700000000000)), 1700000000000);
    assert_int_equal(id_to_ms(id_from_ms(1700000000000) + 1048575), 1700000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_back), cmocka_unit_test(test_spelling),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_looks),
        cmocka_unit_test(test_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
