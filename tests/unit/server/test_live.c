// The figures of every second: what a listener gets at once and then, that a slow one misses some, and that nothing is
// left when memory runs out. The linker hands allocations over to us (see meson.build).
#include "server/fake.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "failing_malloc.h"
#include "server/live.h"

static struct fake_server fake;
static struct fake_exchange x;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    assert_int_equal(atomic_load(&fake.server.watched), 0);
    fake_server_finish(&fake);
    return 0;
}

static void publish(void) {
    struct fake_exchange post;
    fake_ask(&post, &fake, "POST", "/events/a", "", bytes_of("x"), 1);
    assert_int_equal(post.status, 200);
    fake_exchange_finish(&post);
}

// As a session does.
static void pass(int64_t ms) {
    struct fake_stream *s = x.stream;
    fake_later(&fake, ms);
    if (s->deadline <= worker_now(fake.worker)) {
        stream_tick(&s->stream);
    }
    fake_turn(&fake);
}

// What it has got, as text; forgotten with the next call.
static const char *take(void) {
    static char text[4096];
    struct buf *got = &x.stream->got;
    assert_true(got->len < sizeof(text));
    memcpy(text, got->at, got->len);
    text[got->len] = '\0';
    buf_clear(got);
    return text;
}

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) {
        fail_msg("no %s in %s", part, text);
    }
}

static void test_at_once_and_every_second(void **state) {
    fake_get(&x, &fake, "/api/live", "");
    assert_string_equal(fake_header(&x, "Content-Type"), "text/event-stream");
    fake_turn(&fake);
    const char *first = take();
    assert_has(first, "HEAD|:\nretry: 3000\nevent: freshet.stats\ndata: {\"version\":");
    assert_has(first, "\"published\":0,");
    assert_has(first, "\"p50_us\":null");
    publish();
    pass(LIVE_EVERY_MS - 1);
    assert_string_equal(take(), "");
    pass(1);
    const char *second = take();
    assert_has(second, "\"listeners\":1,");
    assert_has(second, "\"published\":1,");
    const char *data = strstr(second, "data: ") + 6;
    struct bytes value;
    assert_int_equal(
        json_validate(bytes_make(data, (size_t)(strchr(data, '\n') - data)), 8, &value), 0);
    assert_int_equal(atomic_load(&fake.server.watched), 1);
    fake_exchange_finish(&x);
}

static void test_limits_that_were_hit(void **state) {
    worker_limit_hit(fake.worker, LIMIT_TOPICS);
    worker_limit_hit(fake.worker, LIMIT_BODY);
    fake_get(&x, &fake, "/api/live", "");
    fake_turn(&fake);
    assert_has(take(), "\"limits\":{\"max-body\":1,\"max-topics\":1}}");
    fake_exchange_finish(&x);
}

// One that takes nothing has no queue: it gets the newest figures when it can.
static void test_slow(void **state) {
    fake_get(&x, &fake, "/api/live", "");
    fake_turn(&fake);
    x.stream->room = 0;
    for (int i = 0; i < 5; i++) {
        publish();
        pass(LIVE_EVERY_MS);
    }
    (void)take();
    x.stream->room = SIZE_MAX;
    hub_writable(&x.stream->stream.subscriber);
    pass(0);
    assert_has(take(), "\"published\":1,"); // what it was in the middle of
    pass(LIVE_EVERY_MS);
    assert_has(take(), "\"published\":5,");
    fake_exchange_finish(&x);
}

// No pattern hears it, and no history has it.
static void test_nobody_else_hears_it(void **state) {
    struct fake_exchange other;
    fake_listen(&other, &fake, "/events/**");
    fake_get(&x, &fake, "/api/live", "");
    fake_turn(&fake);
    pass(LIVE_EVERY_MS);
    fake_assert_heard(&other, "");
    assert_int_equal(bus_newest(fake.server.bus), fake.worker->hub.heard);
    fake_exchange_finish(&other);
    fake_exchange_finish(&x);
}

static void test_head(void **state) {
    fake_ask(&x, &fake, "HEAD", "/api/live", "", bytes_of(""), 1);
    assert_int_equal(x.status, 200);
    assert_null(x.stream);
    fake_exchange_finish(&x);
}

static void test_draining(void **state) {
    atomic_store(&fake.server.draining, true);
    fake_get(&x, &fake, "/api/live", "");
    fake_assert_problem(&x, 503, "the server is ending");
    fake_exchange_finish(&x);
}

static int tell_once(void) {
    struct live *live = NULL;
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    int rc = live_create(&live, &fake.server, 0);
    rc = rc ? rc : live_append(live, &out);
    live_destroy(&live);
    buf_finish(&out);
    return rc;
}

static void test_nomem(void **state) {
    int rc = ERR_NOMEM;
    long nth = 1;
    for (; rc; nth++) {
        failing_malloc_begin(nth);
        rc = tell_once();
        failing_malloc_end();
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_int_equal(atomic_load(&fake.server.watched), 0);
        assert_true(nth < 100);
    }
    assert_true(nth > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_at_once_and_every_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_that_were_hit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_else_hears_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_draining, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nomem, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
