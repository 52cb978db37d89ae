// Publishers and purges that wait for the disk, with a history whose progress the test decides: every
// form, the order of the answers, and what is said when storing fails.
#include "server/fake.h"

#include "base/error.h"
#include "server/commit.h"

static struct fake_server fake;
static struct fake_exchange x, y, z, listener;

// What the history of the tests pretends.
static event_id stored;
static enum history_state state;
static bool all_lost;
static uint64_t purged, purges;
static int purge_says;

static event_id pretend_stored(const struct history *history) {
    return stored;
}

static enum history_state pretend_state(const struct history *history) {
    return state;
}

static bool pretend_lost(const struct history *history, event_id id) {
    return all_lost;
}

static uint64_t pretend_purged(const struct history *history) {
    return purged;
}

static int pretend_purge(struct history *history, const struct topic_name *name, uint64_t *number) {
    *number = purge_says ? purges : ++purges;
    return purge_says;
}

static int setup(void **unused) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    stored = 0;
    state = HISTORY_FINE;
    all_lost = false;
    purged = purges = 0;
    purge_says = 0;
    fake.server.history->stored = pretend_stored;
    fake.server.history->state = pretend_state;
    fake.server.history->lost = pretend_lost;
    fake.server.history->purged = pretend_purged;
    fake.server.history->purge = pretend_purge;
    fake.server.promises_disk = true;
    fake_listen(&listener, &fake, "/events/a");
    return 0;
}

static int teardown(void **unused) {
    fake_exchange_finish(&listener);
    assert_true(list_empty(&fake.worker->commits.waiting));
    assert_true(list_empty(&fake.worker->commits.purges));
    fake_server_finish(&fake);
    return 0;
}

static void post(struct fake_exchange *exchange, const char *body) {
    fake_ask(exchange, &fake, "POST", "/events/a", "", bytes_of(body), 100);
}

static void post_json(struct fake_exchange *exchange, const char *body) {
    fake_ask(exchange, &fake, "POST", "/events", "Content-Type: application/json\r\n",
             bytes_of(body), 100);
}

static void post_stream(struct fake_exchange *exchange, const char *body) {
    fake_ask(exchange, &fake, "POST", "/events/a", "Content-Type: text/event-stream\r\n",
             bytes_of(body), 100);
}

static void store_all(void) {
    stored = bus_newest(fake.server.bus);
    commit_settle(fake.worker);
}

static unsigned long long unstored(void) {
    return atomic_load(&fake.worker->counters.unstored);
}

// Listeners hear it at once, the publisher when it is on disk.
static void test_the_answer_waits_and_the_event_does_not(void **unused) {
    post(&x, "hello");
    assert_int_equal(x.replies, 0);
    fake_assert_heard(&listener, "id: #\ndata: hello\n\n");
    commit_settle(fake.worker);
    assert_int_equal(x.replies, 0);
    store_all();
    fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
    fake_exchange_finish(&x);
}

static void test_every_form(void **unused) {
    post_json(&x, "{\"topic\":\"a\",\"data\":1}");
    post_json(&y, "[{\"topic\":\"a\",\"data\":1},{\"topic\":\"*\",\"data\":1}]");
    post_stream(&z, "data: 1\n\ndata: 2\n\n");
    assert_int_equal(x.replies + y.replies + z.replies, 0);
    store_all();
    fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
    fake_assert_answer(&y, 200,
                       "[{\"id\":\"#\"},{\"error\":\"events are published to topics, not to "
                       "patterns; write the topic's whole name\",\"status\":400}]");
    fake_assert_answer(&z, 200, "{\"published\":2,\"id\":\"#\"}");
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
    fake_exchange_finish(&z);
}

// A stream's answer is for its last event, not for those of others since.
static void test_a_stream_waits_for_its_own(void **unused) {
    fake_begin(&z, &fake, "POST", "/events/a", "Content-Type: text/event-stream\r\n");
    fake_body(&z, bytes_of("data: 1\n\n"));
    stored = bus_newest(fake.server.bus);
    post(&x, "later");
    fake_end(&z);
    fake_assert_answer(&z, 200, "{\"published\":1,\"id\":\"#\"}");
    assert_int_equal(x.replies, 0);
    store_all();
    fake_exchange_finish(&x);
    fake_exchange_finish(&z);
}

static void test_only_what_is_stored_is_answered(void **unused) {
    post(&x, "1");
    event_id first = bus_newest(fake.server.bus);
    post(&y, "2");
    event_id second = bus_newest(fake.server.bus);
    stored = first - 1;
    commit_settle(fake.worker);
    assert_int_equal(x.replies, 0);
    stored = second - 1;
    commit_settle(fake.worker);
    assert_int_equal(x.replies, 1);
    assert_int_equal(y.replies, 0);
    stored = second;
    commit_settle(fake.worker);
    assert_int_equal(y.replies, 1);
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
}

// A batch waits for its last event.
static void test_a_batch_is_stored_whole(void **unused) {
    post_json(&x, "[{\"topic\":\"a\",\"data\":1},{\"topic\":\"a\",\"data\":2}]");
    stored = bus_newest(fake.server.bus) - 1;
    commit_settle(fake.worker);
    assert_int_equal(x.replies, 0);
    store_all();
    fake_assert_answer(&x, 200, "[{\"id\":\"#\"},{\"id\":\"#\"}]");
    fake_exchange_finish(&x);
}

// Nothing was published: nothing to wait for.
static void test_nothing_to_wait_for(void **unused) {
    post_json(&x, "[]");
    fake_assert_answer(&x, 200, "[]");
    post_stream(&y, ": nothing\n\n");
    fake_assert_answer(&y, 200, "{\"published\":0,\"id\":null}");
    post_json(&z, "{\"topic\":\"a\"}");
    fake_assert_problem(&z, 400, "an event needs `data`");
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
    fake_exchange_finish(&z);
}

static void test_a_publisher_that_goes_away_while_it_waits(void **unused) {
    post(&x, "1");
    post_json(&y, "[{\"topic\":\"a\",\"data\":2}]");
    post_stream(&z, "data: 3\n\n");
    fake_exchange_finish(&y);
    fake_exchange_finish(&x);
    fake_exchange_finish(&z);
    assert_true(list_empty(&fake.worker->commits.waiting));
    store_all();
    assert_int_equal(x.replies + y.replies + z.replies, 0);
}

static void test_refused_before_anything_is_published(void **unused) {
    state = HISTORY_FULL;
    fake_begin(&x, &fake, "POST", "/events/a", "Content-Length: 1\r\n");
    fake_assert_problem(&x, 507, "so nothing was published"); // before the body came
    fake_exchange_finish(&x);
    post(&x, "1");
    fake_assert_problem(&x, 507, "there is no room on the server's disk, so nothing was published");
    fake_exchange_finish(&x);
    state = HISTORY_FAILING;
    post_json(&x, "[{\"topic\":\"a\",\"data\":2}]");
    fake_assert_problem(&x, 507, "the server's disk refuses writes, so nothing was published");
    fake_exchange_finish(&x);
    post_stream(&x, "data: 3\n\n");
    fake_assert_problem(&x, 507, "nothing was published");
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "");
    assert_int_equal(unstored(), 4);
    state = HISTORY_FINE;
    post(&x, "2");
    store_all();
    fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
    fake_exchange_finish(&x);
}

// What was fine when the head came may have failed when the body has.
static void test_refused_when_the_body_is_complete(void **unused) {
    fake_begin(&x, &fake, "POST", "/events/a", "");
    fake_begin(&y, &fake, "POST", "/events", "");
    fake_begin(&z, &fake, "POST", "/events", "");
    fake_body(&x, bytes_of("1"));
    fake_body(&y, bytes_of("{\"topic\":\"a\",\"data\":2}"));
    fake_body(&z, bytes_of("[{\"topic\":\"a\",\"data\":2}]"));
    state = HISTORY_FULL;
    fake_end(&x);
    fake_end(&y);
    fake_end(&z);
    fake_assert_problem(&x, 507, "nothing was published");
    fake_assert_problem(&y, 507, "nothing was published");
    fake_assert_problem(&z, 507, "nothing was published");
    fake_assert_heard(&listener, "");
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
    fake_exchange_finish(&z);
}

static void test_a_stream_is_refused_in_the_middle(void **unused) {
    fake_begin(&x, &fake, "POST", "/events/a", "Content-Type: text/event-stream\r\n");
    fake_body(&x, bytes_of("data: 1\n\ndata: 2\n\n"));
    fake_assert_heard(&listener, "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    state = HISTORY_FULL;
    fake_body(&x, bytes_of("data: 3\n\n"));
    fake_assert_problem(&x, 507, "so nothing more is taken; 2 events before were published");
    fake_assert_heard(&listener, "");
    fake_exchange_finish(&x);
}

// More than one group in one piece.
static void test_a_stream_that_is_refused_is_not_read_on(void **unused) {
    char body[200 * 9 + 1];
    for (int i = 0; i < 200; i++) {
        memcpy(body + (ptrdiff_t)9 * i, "data: x\n\n", 9);
    }
    fake_begin(&x, &fake, "POST", "/events/a", "Content-Type: text/event-stream\r\n");
    state = HISTORY_FULL;
    fake_body(&x, bytes_make(body, sizeof(body) - 1));
    fake_assert_problem(&x, 507, "nothing was published");
    fake_assert_heard(&listener, "");
    fake_exchange_finish(&x);
}

static void test_those_who_wait_are_told_of_a_failure(void **unused) {
    post(&x, "1");
    stored = bus_newest(fake.server.bus);
    post(&y, "2");
    state = HISTORY_FAILING;
    commit_settle(fake.worker);
    fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
    fake_assert_problem(&y, 507, "listeners may have heard what was published, and it may yet be");
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
    assert_int_equal(unstored(), 1);
}

static void test_no_room_to_wait_in(void **unused) {
    all_lost = true;
    post(&x, "1");
    fake_assert_problem(&x, 507, "than --history-queue-bytes allows");
    post_json(&y, "[{\"topic\":\"a\",\"data\":2}]");
    fake_assert_problem(&y, 507, "than --history-queue-bytes allows");
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
}

// Whoever does not promise the disk does not wait for it, whatever its state.
static void test_relaxed(void **unused) {
    fake.server.promises_disk = false;
    state = HISTORY_FULL;
    post(&x, "1");
    fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "id: #\ndata: 1\n\n");
    assert_int_equal(unstored(), 0);
}

// A worker where nobody waits is not woken.
static void test_who_is_woken(void **unused) {
    commit_settle(fake.worker);
    assert_false(atomic_load(&fake.worker->commits.awaited));
    post(&x, "1");
    commit_settle(fake.worker);
    assert_true(atomic_load(&fake.worker->commits.awaited));
    commit_moved(&fake.server);
    assert_false(atomic_load(&fake.worker->commits.awaited));
    store_all();
    fake_exchange_finish(&x);
}

static void begin_purge(struct fake_exchange *exchange) {
    fake_ask(exchange, &fake, "DELETE", "/api/topics/a", "", bytes_of(""), 1);
}

// The rounds through the workers.
static void go_round(void) {
    for (struct task *task; (task = mailbox_take(&fake.worker->mailbox));) {
        for (struct task *next; task; task = next) {
            next = task->next;
            task->run(fake.worker, task);
        }
    }
}

static void save_purges(uint64_t upto) {
    purged = upto;
    commit_settle(fake.worker);
}

static void test_a_purge_waits_for_its_turn(void **unused) {
    begin_purge(&x);
    begin_purge(&y);
    go_round();
    commit_settle(fake.worker);
    assert_true(atomic_load(&fake.worker->commits.awaited));
    assert_int_equal(x.replies + y.replies, 0);
    post(&z, "1"); // is not kept waiting by a purge, nor the other way round
    store_all();
    fake_assert_answer(&z, 200, "{\"id\":\"#\"}");
    save_purges(1);
    fake_assert_answer(&x, 204, "");
    assert_int_equal(y.replies, 0);
    stored = 0;
    save_purges(2);
    fake_assert_answer(&y, 204, "");
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
    fake_exchange_finish(&z);
}

// On disk before the workers have forgotten: the round is awaited all the same.
static void test_a_purge_waits_for_the_workers(void **unused) {
    begin_purge(&x);
    save_purges(1);
    assert_int_equal(x.replies, 0);
    go_round();
    fake_assert_answer(&x, 204, "");
    fake_exchange_finish(&x);
}

// There is nothing, because somebody has just purged it: that is on disk before the answer says so.
static void test_a_purge_of_nothing_waits_for_those_before(void **unused) {
    purge_says = ERR_NOT_FOUND;
    begin_purge(&x);
    fake_assert_problem(&x, 404, "history holds nothing of this topic");
    fake_exchange_finish(&x);
    purges = 3;
    begin_purge(&x);
    assert_int_equal(x.replies, 0);
    save_purges(3);
    fake_assert_problem(&x, 404, "history holds nothing of this topic");
    fake_exchange_finish(&x);
}

static void test_a_purge_that_goes_away_while_it_waits(void **unused) {
    begin_purge(&x); // during the round
    fake_exchange_finish(&x);
    go_round();
    begin_purge(&x); // after it
    begin_purge(&y);
    go_round();
    fake_exchange_finish(&x);
    purge_says = ERR_NOT_FOUND;
    begin_purge(&z); // without one
    fake_exchange_finish(&z);
    save_purges(3);
    fake_assert_answer(&y, 204, "");
    fake_exchange_finish(&y);
    assert_int_equal(x.replies + z.replies, 0);
}

static void test_a_purge_and_a_disk_that_fails(void **unused) {
    begin_purge(&x);
    begin_purge(&y);
    go_round();
    state = HISTORY_FULL;
    save_purges(1);
    fake_assert_answer(&x, 204, "");
    fake_assert_problem(&y, 507,
                        "there is no room on the server's disk: nobody gets the events any");
    begin_purge(&z);
    fake_assert_problem(&z, 507, "disk, so nothing was purged; try again later");
    assert_int_equal(purges, 2);
    assert_int_equal(unstored(), 0); // that counts publishes
    fake_exchange_finish(&x);
    fake_exchange_finish(&y);
    fake_exchange_finish(&z);
}

static void test_a_purge_without_a_promise(void **unused) {
    fake.server.promises_disk = false;
    state = HISTORY_FULL;
    begin_purge(&x);
    go_round();
    fake_assert_answer(&x, 204, "");
    fake_exchange_finish(&x);
    purge_says = ERR_NOT_FOUND;
    begin_purge(&x);
    fake_assert_problem(&x, 404, "history holds nothing of this topic");
    fake_exchange_finish(&x);
    purge_says = ERR_NOMEM;
    begin_purge(&x);
    fake_assert_problem(&x, 503, "");
    fake_exchange_finish(&x);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_the_answer_waits_and_the_event_does_not),
        TEST(test_every_form),
        TEST(test_a_stream_waits_for_its_own),
        TEST(test_only_what_is_stored_is_answered),
        TEST(test_a_batch_is_stored_whole),
        TEST(test_nothing_to_wait_for),
        TEST(test_a_publisher_that_goes_away_while_it_waits),
        TEST(test_refused_before_anything_is_published),
        TEST(test_refused_when_the_body_is_complete),
        TEST(test_a_stream_is_refused_in_the_middle),
        TEST(test_a_stream_that_is_refused_is_not_read_on),
        TEST(test_those_who_wait_are_told_of_a_failure),
        TEST(test_no_room_to_wait_in),
        TEST(test_relaxed),
        TEST(test_who_is_woken),
        TEST(test_a_purge_waits_for_its_turn),
        TEST(test_a_purge_waits_for_the_workers),
        TEST(test_a_purge_of_nothing_waits_for_those_before),
        TEST(test_a_purge_that_goes_away_while_it_waits),
        TEST(test_a_purge_and_a_disk_that_fails),
        TEST(test_a_purge_without_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
