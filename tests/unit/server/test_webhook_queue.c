// Messages stay in order and stay until they were taken; what was dropped leaves a hole in the numbers.
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "server/webhook_queue.h"

static void assert_composed(const struct webhook_queue *queue, int count, const char *expected) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(webhook_queue_compose(queue, &out), count);
    assert_true(bytes_is(buf_bytes(&out), expected));
    buf_finish(&out);
}

static void they_wait_in_order(void **state) {
    struct webhook_queue queue;
    webhook_queue_init(&queue, &mem_libc, 2, 0xab);
    assert_composed(&queue, 0, "{\"events\":[]}");
    assert_true(webhook_queue_push(&queue, bytes_of("\"a\":1"), 7));
    assert_true(webhook_queue_push(&queue, bytes_of("\"b\":2"), 8));
    assert_false(webhook_queue_push(&queue, bytes_of("\"c\":3"), 9));
    assert_int_equal(queue.dropped, 1);
    assert_composed(&queue, 2,
                    "{\"events\":[{\"id\":\"00000000000000ab-1\",\"time\":7,\"a\":1},"
                    "{\"id\":\"00000000000000ab-2\",\"time\":8,\"b\":2}]}");
    webhook_queue_pop(&queue, 1);
    assert_true(webhook_queue_push(&queue, bytes_of("\"d\":4"), 10));
    assert_composed(&queue, 2,
                    "{\"events\":[{\"id\":\"00000000000000ab-2\",\"time\":8,\"b\":2},"
                    "{\"id\":\"00000000000000ab-4\",\"time\":10,\"d\":4}]}");
    webhook_queue_finish(&queue);
    assert_int_equal(queue.count, 0);
}

static void a_batch_has_an_end(void **state) {
    struct webhook_queue queue;
    struct buf out;
    static char large[100000];
    memset(large, ' ', sizeof(large));
    memcpy(large, "\"a\":1", 5);
    webhook_queue_init(&queue, &mem_libc, 1000, 0);
    buf_init(&out, &mem_libc, 0);
    for (int i = 0; i < WEBHOOK_BATCH + 1; i++) {
        assert_true(webhook_queue_push(&queue, bytes_of("\"a\":1"), 0));
    }
    assert_int_equal(webhook_queue_compose(&queue, &out), WEBHOOK_BATCH);
    webhook_queue_pop(&queue, WEBHOOK_BATCH + 1);
    for (int i = 0; i < 5; i++) {
        assert_true(webhook_queue_push(&queue, bytes_make(large, sizeof(large)), 0));
    }
    struct bytes value;
    buf_clear(&out);
    assert_int_equal(webhook_queue_compose(&queue, &out), 2);
    assert_true(out.len < WEBHOOK_BATCH_BYTES);
    assert_int_equal(json_validate(buf_bytes(&out), 8, &value), 0);
    buf_finish(&out);
    webhook_queue_finish(&queue);
}

static void without_memory_it_is_dropped(void **state) {
    struct test_mem test;
    struct webhook_queue queue;
    test_mem_init(&test);
    webhook_queue_init(&queue, &test.mem, 10, 0);
    unsigned failed = 0;
    for (test.fail_at = 1; !webhook_queue_push(&queue, bytes_of("\"a\":1"), 0); test.fail_at++) {
        test.calls = 0;
        failed++;
        assert_int_equal(queue.count, 0);
    }
    assert_true(failed > 0);
    assert_int_equal(queue.dropped, failed);
    assert_int_equal(queue.number, failed + 1);
    struct buf out;
    buf_init(&out, &test.mem, 0);
    test.calls = 0;
    test.fail_at = 1;
    assert_int_equal(webhook_queue_compose(&queue, &out), ERR_NOMEM);
    assert_int_equal(queue.count, 1);
    buf_finish(&out);
    webhook_queue_finish(&queue);
    test_mem_finish(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_wait_in_order),
        cmocka_unit_test(a_batch_has_an_end),
        cmocka_unit_test(without_memory_it_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
