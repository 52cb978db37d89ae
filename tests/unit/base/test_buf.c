// The growable buffer: its ceiling, and that a failure changes nothing.
#include "support.h"

#include "base/buf.h"
#include "base/error.h"

static struct test_mem mem;
static struct buf buf;

static int setup(void **state) {
    test_mem_init(&mem);
    return 0;
}

static int teardown(void **state) {
    buf_finish(&buf);
    test_mem_finish(&mem);
    return 0;
}

static void test_append_and_consume(void **state) {
    buf_init(&buf, &mem.mem, 0);
    assert_int_equal(mem.calls, 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_printf(&buf, "%03d", i), 0);
    }
    assert_int_equal(buf.len, 3000);
    assert_true(mem.calls < 8); // it doubles
    buf_consume(&buf, 2997);
    assert_true(bytes_is(buf_bytes(&buf), "999"));
    buf_consume(&buf, 3);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf_append(&buf, NULL, 0), 0);
}

static void test_ceiling(void **state) {
    volatile size_t endless = SIZE_MAX; // volatile: compilers warn of what they see through
    buf_init(&buf, &mem.mem, 10);
    assert_int_equal(buf_append_text(&buf, "0123456789"), 0);
    assert_int_equal(buf_append_text(&buf, "x"), ERR_TOO_LARGE);
    assert_int_equal(buf_append(&buf, "x", endless), ERR_TOO_LARGE);
    assert_int_equal(buf_append(&buf, "", 0), 0);
    assert_true(bytes_is(buf_bytes(&buf), "0123456789"));
    assert_true(mem.bytes <= 10);
    buf_consume(&buf, 5);
    assert_int_equal(buf_printf(&buf, "%d", 1234), 0);
    assert_int_equal(buf_printf(&buf, "%d", 12345), ERR_TOO_LARGE);
    assert_true(bytes_is(buf_bytes(&buf), "567891234"));
}

static void test_no_memory(void **state) {
    buf_init(&buf, &mem.mem, 0);
    mem.fail_at = 1;
    assert_int_equal(buf_append_text(&buf, "x"), ERR_NOMEM);
    assert_int_equal(buf_append_text(&buf, "kept"), 0);
    char much[1000] = {0};
    mem.fail_at = mem.calls + 1;
    assert_int_equal(buf_append(&buf, much, sizeof(much)), ERR_NOMEM);
    assert_true(bytes_is(buf_bytes(&buf), "kept"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_append_and_consume),
        TEST(test_ceiling),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
