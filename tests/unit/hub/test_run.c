// The run: the same bytes for everyone at one cursor, made once, and read back to the byte.
#include "hub/fake.h"

#include <stdio.h>

static struct fake_hub fake;
static struct fake_sub sub;
static struct run run;
static struct test_mem mem; // the run's alone

static int setup(void **state) {
    fake_hub_init(&fake);
    fake.settings.window_bytes = 64 << 20;
    fake_hub_open(&fake);
    fake_sub_init(&sub, &fake);
    test_mem_init(&mem);
    return 0;
}

static int teardown(void **state) {
    run_finish(&run);
    test_mem_finish(&mem);
    fake_sub_finish(&sub);
    fake_hub_finish(&fake);
    return 0;
}

static const struct feed *listen(enum encoding encoding, size_t limit) {
    struct hub_start start = {.after = fake.newest};
    assert_int_equal(fake_join_at(&sub, "t", encoding, &start), 0);
    run_init(&run, &mem.mem, limit);
    return sub.s.feed;
}

// What a listener behind `after` is owed, up to and including `last`.
static void append_wanted(struct buf *out, enum encoding encoding, event_id after, event_id last) {
    for (size_t i = 0; i < fake.past.count; i++) {
        struct frame *frame = fake.past.frames[i];
        if (frame->id > after && frame->id <= last) {
            assert_int_equal(encoding_append(encoding, frame, out), 0);
        }
    }
}

static void assert_covers(const struct feed *feed, event_id after, struct bytes bytes) {
    struct buf wanted;
    buf_init(&wanted, &mem_libc, 0);
    append_wanted(&wanted, feed->encoding, after, run.last);
    assert_int_equal(bytes.len, wanted.len);
    assert_int_equal(memcmp(bytes.at, wanted.at, wanted.len), 0); // which the sanitizers watch
    buf_finish(&wanted);
}

static void cover(const struct feed *feed, event_id after) {
    struct bytes bytes;
    assert_int_equal(run_cover(&run, feed, after, &bytes), 0);
    assert_true(bytes.len > 0);
    assert_covers(feed, after, bytes);
}

static void test_every_cursor(void **state) {
    for (int i = 0; i < ENCODING_COUNT; i++) {
        const struct feed *feed = listen((enum encoding)i, 1000);
        event_id first = fake.newest;
        for (int n = 0; n < 10; n++) {
            fake_publish(&fake, "t", "event");
        }
        for (event_id after = first; after < fake.newest; after++) {
            cover(feed, after);
        }
        for (event_id after = fake.newest - 1; after > first; after--) {
            cover(feed, after);
        }
        hub_leave(&sub.s);
        run_finish(&run);
    }
}

// Whole events only, and no more than asked for.
static void test_fit(void **state) {
    const struct feed *feed = listen(ENCODING_EVENT_STREAM, 10000);
    struct bytes bytes;
    event_id first = fake.newest;
    for (int n = 0; n < 5; n++) {
        fake_publish(&fake, "t", "event");
    }
    assert_int_equal(run_cover(&run, feed, first, &bytes), 0);
    size_t one = bytes.len / 5;
    assert_int_equal(run_fit(&run, first, 5, SIZE_MAX, false), bytes.len);
    assert_int_equal(run_fit(&run, first, UINT64_MAX, SIZE_MAX, true), bytes.len);
    assert_int_equal(run_fit(&run, first, 2, SIZE_MAX, false), 2 * one);
    assert_int_equal(run_fit(&run, first, 5, 3 * one, false), 3 * one);
    assert_int_equal(run_fit(&run, first, 5, 3 * one - 1, false), 2 * one);
    assert_int_equal(run_fit(&run, first, 5, one - 1, false), 0);
    assert_int_equal(run_fit(&run, first, 5, 0, true), one);
    // From a later cursor, within the same run.
    assert_int_equal(run_cover(&run, feed, first + 2, &bytes), 0);
    assert_int_equal(bytes.len, 3 * one);
    assert_int_equal(run_fit(&run, first + 2, 9, SIZE_MAX, false), 3 * one);
    assert_int_equal(run_fit(&run, first + 2, 9, 2 * one, false), 2 * one);
    assert_int_equal(run_fit(&run, first + 2, 9, 0, true), one);
    hub_leave(&sub.s);
    run_finish(&run);
}

static void test_lone_event_is_not_copied(void **state) {
    const struct feed *feed = listen(ENCODING_EVENT_STREAM, 1000);
    struct bytes bytes;
    fake_publish(&fake, "t", "event");
    assert_int_equal(run_cover(&run, feed, fake.newest - 1, &bytes), 0);
    assert_ptr_equal(bytes.at, frame_bytes(fake.past.frames[0]).at);
    assert_int_equal(mem.calls, 0);
}

static void test_grows_during_a_pass(void **state) {
    const struct feed *feed = listen(ENCODING_NDJSON, 10000);
    event_id first = fake.newest;
    fake_publish(&fake, "t", "one");
    cover(feed, first);
    fake_publish(&fake, "t", "two");
    cover(feed, first);
    assert_int_equal(run.last, fake.newest);
    assert_int_equal(run.after, first); // extended, not built again
    cover(feed, first + 1);
}

static void test_limit(void **state) {
    const struct feed *feed = listen(ENCODING_EVENT_STREAM, 60);
    event_id first = fake.newest;
    for (int n = 0; n < 10; n++) {
        fake_publish(&fake, "t", "event");
    }
    cover(feed, first);
    assert_true(run.bytes.len <= 60 && run.count == 2);
    fake_publish(&fake, "t",
                 "a single event that is larger than the limit of sixty bytes all alone");
    cover(feed, fake.newest - 1);
    assert_int_equal(run.count, 1);
}

static void test_more_frames_than_marks(void **state) {
    const struct feed *feed = listen(ENCODING_EVENT_STREAM, 1 << 20);
    event_id first = fake.newest;
    for (int n = 0; n < RUN_FRAMES + 10; n++) {
        fake_publish(&fake, "t", "x");
    }
    cover(feed, first);
    assert_int_equal(run.count, RUN_FRAMES);
    cover(feed, run.last);
    assert_int_equal(run.last, fake.newest);
}

static void test_large_frame_first(void **state) {
    static char large[20000];
    memset(large, 'x', sizeof(large) - 1);
    const struct feed *feed = listen(ENCODING_EVENT_STREAM, 100000);
    event_id first = fake.newest;
    fake_publish(&fake, "t", large);
    fake_publish(&fake, "t", "small");
    cover(feed, first);
    assert_true(run.lone);
    cover(feed, first + 1);
    cover(feed, first);
}

static void test_large_buffer_is_given_back(void **state) {
    static char large[50000];
    memset(large, 'x', sizeof(large) - 1);
    const struct feed *feed = listen(ENCODING_NDJSON, 1000);
    fake_publish(&fake, "t", large);
    cover(feed, fake.newest - 1);
    fake_publish(&fake, "t", "small");
    cover(feed, fake.newest - 1);
    assert_true(mem.bytes <= 4000);
}

// The first mark whose frame is not whole, by the naive way.
static void assert_account(event_id after, size_t sent) {
    event_id id, want = after;
    struct frame *part;
    uint32_t part_sent, place = 0;
    size_t begin = 0;
    while (place < run.count && run.marks[place].id <= after) {
        begin = run.marks[place++].end;
    }
    uint32_t frames = run_account(&run, after, sent, &id, &part, &part_sent), whole = 0;
    for (; place < run.count && run.marks[place].end - begin <= sent; place++, whole++) {
        want = run.marks[place].id;
    }
    assert_int_equal(frames, whole);
    assert_int_equal(id, want);
    size_t rest = begin + sent - (place ? run.marks[place - 1].end : 0);
    assert_int_equal(part_sent, rest);
    assert_ptr_equal(part, rest ? run.marks[place].frame : NULL);
}

static void test_account_every_length(void **state) {
    const struct feed *feed = listen(ENCODING_NDJSON, 10000);
    event_id first = fake.newest;
    fake_publish(&fake, "t", "one");
    fake_publish(&fake, "t", "");
    fake_publish(&fake, "t", "three\nlines\n");
    for (event_id after = first; after < fake.newest; after++) {
        struct bytes bytes;
        assert_int_equal(run_cover(&run, feed, after, &bytes), 0);
        for (size_t sent = 0; sent <= bytes.len; sent++) {
            assert_account(after, sent);
        }
    }
}

static void test_forgets_a_feed(void **state) {
    const struct feed *feed = listen(ENCODING_EVENT_STREAM, 1000);
    fake_publish(&fake, "t", "one");
    cover(feed, fake.newest - 1);
    run_forget(&run, feed);
    assert_null(run.feed);
    cover(feed, fake.newest - 1);
}

static char longer[3000];

// What is there is right, however few allocations could be had.
static void cover_failing(const struct feed *feed, event_id first, long n) {
    struct bytes bytes;
    run_init(&run, &mem.mem, 100000);
    mem.calls = 0;
    mem.fail_at = n;
    for (int again = 0; again < 2; again++) {
        if (run_cover(&run, feed, first, &bytes) == 0) {
            assert_covers(feed, first, bytes);
        }
    }
    mem.fail_at = 0;
    cover(feed, first);
    assert_int_equal(run.last, fake.newest);
    run_finish(&run);
}

static void test_no_memory(void **state) {
    const struct feed *feed = listen(ENCODING_NDJSON, 100000);
    event_id first = fake.newest;
    memset(longer, 'y', sizeof(longer) - 1);
    // Four short ones nearly fill the first buffer, so the long one grows it twice.
    for (int n = 0; n < 10; n++) {
        fake_publish(&fake, "t", n % 5 < 4 ? "short" : longer);
    }
    cover_failing(feed, first, 0);
    for (long n = mem.calls; n > 0; n--) {
        cover_failing(feed, first, n);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_every_cursor),
        TEST(test_fit),
        TEST(test_lone_event_is_not_copied),
        TEST(test_grows_during_a_pass),
        TEST(test_limit),
        TEST(test_more_frames_than_marks),
        TEST(test_large_frame_first),
        TEST(test_large_buffer_is_given_back),
        TEST(test_account_every_length),
        TEST(test_forgets_a_feed),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
