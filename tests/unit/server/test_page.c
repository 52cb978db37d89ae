// The parameters of a list.
#include "server/fake.h"

#include "server/page.h"

static struct fake_server fake;
static struct fake_exchange x;
static struct page page;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

// Reads a query.
static bool read_page(const char *query) {
    fake_prepare(&x, &fake, "GET", "/", "");
    struct http_request req = {.query = bytes_of(query)};
    return page_read(&page, &x.exchange, &req, "prefix");
}

static void done(void) {
    page_finish(&page);
    fake_exchange_finish(&x);
}

static void assert_page(const char *query, size_t limit, const char *after, const char *filter) {
    assert_true(read_page(query));
    assert_int_equal(x.replies, 0);
    assert_int_equal(page.limit, limit);
    assert_true(bytes_is(page.after, after));
    assert_true(bytes_is(page.filter, filter));
    done();
}

static void test_read(void **state) {
    assert_page("", 100, "", "");
    assert_page("limit=1", 1, "", "");
    assert_page("limit=1000", 1000, "", "");
    assert_page("after=room%2F1&prefix=room/&limit=7", 7, "room/1", "room/");
    assert_page("prefix=caf%C3%A9+bar", 100, "", "caf\xc3\xa9 bar");
    assert_page("limit=5&limit=6", 6, "", "");
    assert_true(read_page("search=a%20b&after=c"));
    assert_true(bytes_is(page.search, "a b"));
    done();
    assert_page("Limit=5&topic=x&_=123&&", 100, "", "");
    assert_page("after&prefix", 100, "", "");
}

static void assert_refused(const char *query, const char *part) {
    assert_false(read_page(query));
    fake_assert_problem(&x, 400, part);
    done();
}

static void test_refused(void **state) {
    static const char *const limits[] = {"limit=0",  "limit=1001", "limit=",      "limit",
                                         "limit=-1", "limit=1e2",  "limit=%2010", "limit=ten"};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        assert_refused(limits[i], "`limit` takes a number from 1 to 1000");
    }
    assert_refused("after=%", "written %25");
    assert_refused("prefix=%zz", "written %25");
    assert_refused("x=%00", "written %25");
    assert_refused("limit=0&limit=0", "`limit`"); // answered once
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_read),
        TEST(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
