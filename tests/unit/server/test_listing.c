// Pages of topics: which rows they have, in which order, added up from whom, and where they go on.
#include "support.h"

#include <stdio.h>

#include "server/listing.h"

static struct listing listing;
static struct buf out;

static void start(size_t limit, const char *after, const char *prefix) {
    assert_int_equal(listing_init(&listing, limit, bytes_of(after), bytes_of(prefix), bytes_of("")),
                     0);
}

static void search(const char *text) {
    assert_int_equal(listing_init(&listing, 10, bytes_of(""), bytes_of(""), bytes_of(text)), 0);
}

static void add(const char *name, uint64_t subscribers) {
    struct listing_row row = {.subscribers = subscribers};
    listing_add(&listing, bytes_of(name), &row);
}

static int setup(void **state) {
    buf_init(&out, &mem_libc, 0);
    return 0;
}

static int teardown(void **state) {
    listing_finish(&listing);
    buf_finish(&out);
    return 0;
}

// The names, divided by spaces; then what comes next.
static void assert_page(const char *names, const char *next) {
    buf_clear(&out);
    for (size_t i = 0; i < listing.count; i++) {
        assert_int_equal(buf_printf(&out, "%s%.*s", i ? " " : "", (int)listing.rows[i].name_len,
                                    listing.rows[i].name),
                         0);
    }
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_string_equal(out.at, names);
    assert_int_equal(listing.more, next != NULL);
    if (next) {
        const struct listing_row *last = &listing.rows[listing.count - 1];
        assert_true(bytes_is(bytes_make(last->name, last->name_len), next));
    }
}

static void assert_written(const char *json) {
    buf_clear(&out);
    assert_int_equal(listing_write(&listing, &out), 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_string_equal(out.at, json);
}

static void test_search(void **state) {
    search("Ab");
    add("ab", 1);
    add("xAbx", 1);
    add("a", 1);
    add("a-b", 1);
    add("yaB", 1);
    assert_page("ab xAbx yaB", NULL);
    listing_finish(&listing);
    search("longer than it");
    add("longer", 1);
    assert_page("", NULL);
}

// Of all that hold events; who has none says nothing of it.
static void test_oldest(void **state) {
    start(10, "", "");
    struct listing_row rows[] = {
        {.subscribers = 1}, {.oldest = 7, .newest = 9}, {.oldest = 5, .newest = 6}};
    for (size_t i = 0; i < 3; i++) {
        listing_add(&listing, bytes_of("a"), &rows[i]);
    }
    assert_int_equal(listing.rows[0].oldest, 5);
    assert_int_equal(listing.rows[0].newest, 9);
}

static void test_empty(void **state) {
    start(10, "", "");
    assert_page("", NULL);
    assert_written("{\"topics\":[],\"next\":null}");
}

static void test_order(void **state) {
    start(10, "", "");
    add("b", 1);
    add("a/b", 1);
    add("c", 1);
    add("a", 1);
    add("\xc3\xa9", 1);
    add("B", 1);
    assert_page("B a a/b b c \xc3\xa9", NULL);
}

static void test_a_full_page_keeps_the_first(void **state) {
    start(3, "", "");
    add("e", 1);
    add("d", 1);
    add("c", 1);
    assert_page("c d e", NULL);
    add("f", 1); // behind the last: left out at once
    assert_page("c d e", "e");
    add("a", 1); // pushes the last out
    assert_page("a c d", "d");
    add("b", 1);
    add("c", 1); // there already
    add("e", 1); // was there once
    assert_page("a b c", "c");
}

static void test_exactly_full_has_no_next(void **state) {
    start(2, "", "");
    add("a", 1);
    add("b", 1);
    add("b", 1);
    assert_page("a b", NULL);
}

static void test_a_page_of_one(void **state) {
    start(1, "", "");
    add("b", 1);
    add("a", 1);
    assert_page("a", "a");
}

static void test_after(void **state) {
    start(10, "b", "");
    add("a", 1);
    add("b", 1);
    add("b/", 1);
    add("c", 1);
    assert_page("b/ c", NULL);
}

static void test_prefix(void **state) {
    start(2, "", "room/");
    add("room", 1);
    add("room/2", 1);
    add("roomy", 1);
    add("room/", 1);
    assert_page("room/ room/2", NULL);
    add("zzz", 1); // not of this list, so nothing was left out
    assert_page("room/ room/2", NULL);
    add("room/3", 1);
    assert_page("room/ room/2", "room/2");
}

static void test_after_and_prefix(void **state) {
    start(2, "room/1", "room/");
    add("room/1", 1);
    add("room/2", 1);
    add("s", 1);
    assert_page("room/2", NULL);
}

static void test_sources_are_added_up(void **state) {
    struct listing_row history = {.events = 3, .bytes = 120, .newest = id_from_ms(7) + 2};
    struct listing_row older = {.subscribers = 1, .events = 1, .bytes = 2, .newest = 5};
    start(10, "", "");
    add("t", 2);
    listing_add(&listing, bytes_of("t"), &history);
    listing_add(&listing, bytes_of("t"), &older);
    add("t", 3);
    assert_written("{\"topics\":[{\"topic\":\"t\",\"subscribers\":6,\"events\":4,\"bytes\":122,"
                   "\"oldest\":null,\"newest\":\"7-2\"}],\"next\":null}");
}

static void test_written(void **state) {
    start(2, "", "");
    add("say \"hi\" \\ \xc3\xa9", 1);
    add("z", 0);
    add("zz", 0);
    assert_written("{\"topics\":["
                   "{\"topic\":\"say \\\"hi\\\" \\\\ \xc3\xa9\",\"subscribers\":1,\"events\":0,"
                   "\"bytes\":0,\"oldest\":null,\"newest\":null},"
                   "{\"topic\":\"z\",\"subscribers\":0,\"events\":0,\"bytes\":0,\"oldest\":null,"
                   "\"newest\":null}"
                   "],\"next\":\"z\"}");
}

static void test_next_is_escaped(void **state) {
    start(1, "", "");
    add("a\"", 1);
    add("b", 1);
    buf_clear(&out);
    assert_int_equal(listing_write(&listing, &out), 0);
    const char end[] = "\"next\":\"a\\\"\"}";
    size_t len = sizeof(end) - 1;
    assert_memory_equal(out.at + out.len - len, end, len);
}

static void test_does_not_fit(void **state) {
    start(2, "", "");
    add("a", 1);
    add("b", 1);
    buf_finish(&out);
    for (size_t most = 1; most < 60; most++) {
        buf_init(&out, &mem_libc, most);
        assert_true(listing_write(&listing, &out) < 0);
        buf_finish(&out);
    }
}

// Two thousand names from two sources, in an order that jumps about, read page by page: each comes
// once, in order, whatever the size of a page.
enum { NAMES = 2000 };

static void fill(void) {
    for (unsigned i = 0; i < 2 * NAMES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%05u", i * 7919 % NAMES);
        add(name, 1);
    }
}

static void read_all_pages(size_t limit) {
    char after[16] = "", want[16];
    unsigned seen = 0;
    bool more;
    do {
        start(limit, after, "n");
        fill();
        for (size_t i = 0; i < listing.count; i++) {
            snprintf(want, sizeof(want), "n%05u", seen++);
            assert_true(bytes_is(bytes_make(listing.rows[i].name, listing.rows[i].name_len), want));
            assert_int_equal(listing.rows[i].subscribers, 2);
        }
        more = listing.more;
        memcpy(after, want, sizeof(after));
        listing_finish(&listing);
    } while (more);
    assert_int_equal(seen, NAMES);
}

static void test_pages_join(void **state) {
    read_all_pages(100);
    read_all_pages(333);
    read_all_pages(NAMES);
    read_all_pages(NAMES + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_search),
        TEST(test_oldest),
        TEST(test_order),
        TEST(test_a_full_page_keeps_the_first),
        TEST(test_exactly_full_has_no_next),
        TEST(test_a_page_of_one),
        TEST(test_after),
        TEST(test_prefix),
        TEST(test_after_and_prefix),
        TEST(test_sources_are_added_up),
        TEST(test_written),
        TEST(test_next_is_escaped),
        TEST(test_does_not_fit),
        TEST(test_pages_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
