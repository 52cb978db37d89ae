// Which handler a path and a method get; what is said to those that get none.
#include "server/fake.h"

#include "server/router.h"
#include "server/routes.h"

static struct fake_server fake;
static struct fake_exchange x;

static int setup(void **state) {
    static char origin[] = "https://page.example";
    static char *origins[] = {origin};
    fake_server_init(&fake);
    fake.settings.cors_origin = (struct texts){.items = origins, .count = 1};
    fake.settings.cors_max_age_ms = 7200999;
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

// Asks the router alone.
static const struct handler *find(enum http_method method, const char *path) {
    struct http_request req = {.method = method, .path = bytes_of(path)};
    struct exchange exchange = {.worker = fake.worker, .entrance = ENTRANCE_LOCAL};
    return router_find(&exchange, &req);
}

// What is for administrators, and what looks like it, at each kind of address.
static void test_entrances(void **state) {
    static const struct {
        const char *method, *path;
        bool admin;
    } asked[] = {
        {"GET", "/metrics", true},         {"GET", "/api/topics", true},
        {"GET", "/api/connections", true}, {"DELETE", "/api/connections/1", true},
        {"DELETE", "/api/topics/a", true}, {"OPTIONS", "/metrics", true},
        {"GET", "/healthz", false},        {"POST", "/api/connections/x/topics", false},
        {"GET", "/events/a", false},
    };
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        for (int entrance = ENTRANCE_PUBLIC; entrance <= ENTRANCE_ADMIN; entrance++) {
            fake_prepare(&x, &fake, asked[i].method, asked[i].path, "");
            x.exchange.entrance = (enum entrance)entrance;
            bool found = router_find(&x.exchange, &x.req) || x.status != 404;
            assert_int_equal(found, !asked[i].admin || entrance != ENTRANCE_PUBLIC);
            fake_exchange_finish(&x);
        }
    }
}

static void test_found(void **state) {
    assert_ptr_equal(find(HTTP_GET, "/events"), &route_subscribe);
    assert_ptr_equal(find(HTTP_HEAD, "/events"), &route_subscribe);
    assert_ptr_equal(find(HTTP_POST, "/events"), &route_publish);
    assert_ptr_equal(find(HTTP_GET, "/events/a/b%2Fc"), &route_subscribe);
    assert_ptr_equal(find(HTTP_POST, "/events/a"), &route_publish);
    assert_ptr_equal(find(HTTP_GET, "/events/"), &route_subscribe);
    assert_ptr_equal(find(HTTP_GET, "/healthz"), &route_healthz);
    assert_ptr_equal(find(HTTP_HEAD, "/readyz"), &route_readyz);
    assert_ptr_equal(find(HTTP_GET, "/metrics"), &route_metrics);
    assert_ptr_equal(find(HTTP_GET, "/api/topics"), &route_topics);
    assert_ptr_equal(find(HTTP_GET, "/api/connections"), &route_connections);
    assert_ptr_equal(find(HTTP_GET, "/"), &route_front);
    assert_ptr_equal(find(HTTP_GET, "/lab"), &route_asset);
    assert_ptr_equal(find(HTTP_GET, "/console/a.js"), &route_asset);
    assert_ptr_equal(find(HTTP_GET, "/api/live"), &route_live);
    assert_ptr_equal(find(HTTP_DELETE, "/api/connections/7"), &route_close);
    assert_ptr_equal(find(HTTP_POST, "/api/connections/7/topics"), &route_change);
}

static void test_not_found(void **state) {
    static const char *const paths[] = {
        "/event", "/eventss",    "/Events", "/healthz/", "/metrics/x",  "//",        "/api",
        "/api/",  "/api/topic/", "/.",      "/%65vents", "/events%2Fa", "/healthzz", "/index.html",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        fake_get(&x, &fake, paths[i], "");
        fake_assert_problem(&x, 404, "events are at /events and /events/<topic>");
        fake_exchange_finish(&x);
    }
    fake_ask(&x, &fake, "OPTIONS", "/nowhere", "", bytes_of(""), 1);
    fake_assert_problem(&x, 404, "nothing here");
    fake_exchange_finish(&x);
}

static void assert_not_allowed(const char *method, const char *path, const char *allow) {
    fake_ask(&x, &fake, method, path, "Origin: https://page.example\r\n", bytes_of(""), 1);
    fake_assert_problem(&x, 405, "the Allow header lists");
    assert_string_equal(fake_header(&x, "Allow"), allow);
    assert_string_equal(fake_header(&x, "Access-Control-Allow-Origin"), "https://page.example");
    fake_exchange_finish(&x);
}

static void test_not_allowed(void **state) {
    assert_not_allowed("PUT", "/events", "GET, HEAD, POST, OPTIONS");
    assert_not_allowed("DELETE", "/events/a", "GET, HEAD, POST, OPTIONS");
    assert_not_allowed("PATCH", "/events/a", "GET, HEAD, POST, OPTIONS");
    assert_not_allowed("BREW", "/events", "GET, HEAD, POST, OPTIONS");
    assert_not_allowed("POST", "/healthz", "GET, HEAD, OPTIONS");
    assert_not_allowed("POST", "/metrics", "GET, HEAD, OPTIONS");
    assert_not_allowed("POST", "/api/topics", "GET, HEAD, OPTIONS");
    assert_not_allowed("POST", "/", "GET, HEAD, OPTIONS");
    assert_not_allowed("DELETE", "/api/topics", "GET, HEAD, OPTIONS");
    assert_not_allowed("GET", "/api/topics/a", "DELETE, OPTIONS");
}

static void test_refusals_are_counted(void **state) {
    assert_not_allowed("PUT", "/events", "GET, HEAD, POST, OPTIONS");
    assert_int_equal(atomic_load(&fake.worker->counters.refused), 1);
    fake_get(&x, &fake, "/nowhere", "");
    fake_exchange_finish(&x);
    assert_int_equal(atomic_load(&fake.worker->counters.refused), 2);
    fake_ask(&x, &fake, "OPTIONS", "/events", "", bytes_of(""), 1);
    fake_exchange_finish(&x);
    assert_int_equal(atomic_load(&fake.worker->counters.refused), 2);
}

static void assert_no_purge(const char *target, int status, const char *part) {
    fake_ask(&x, &fake, "DELETE", target, "", bytes_of(""), 1);
    fake_assert_problem(&x, status, part);
    fake_exchange_finish(&x);
}

static void test_what_cannot_be_purged(void **state) {
    assert_no_purge("/api/topics/a", 404, "history holds nothing of this topic");
    assert_no_purge("/api/topics/a/*", 400, "a pattern cannot be purged");
    assert_no_purge("/api/topics/", 400, "");
    assert_no_purge("/api/topics/%0a", 400, "");
    assert_no_purge("/api/topics/%zz", 400, "a bad percent escape");
}

static void ask_options(const char *path, const char *headers, const char *allow) {
    fake_ask(&x, &fake, "OPTIONS", path, headers, bytes_of(""), 1);
    fake_assert_answer(&x, 204, "");
    assert_null(fake_header(&x, "Content-Type"));
    assert_string_equal(fake_header(&x, "Allow"), allow);
    assert_string_equal(fake_header(&x, "Vary"), "Origin");
}

static void test_options(void **state) {
    static const char preflight[] = "Origin: https://page.example\r\n"
                                    "Access-Control-Request-Method: POST\r\n";
    ask_options("/events", "", "GET, HEAD, POST, OPTIONS");
    assert_null(fake_header(&x, "Access-Control-Allow-Origin"));
    assert_null(fake_header(&x, "Access-Control-Allow-Methods"));
    fake_exchange_finish(&x);
    ask_options("/events", preflight, "GET, HEAD, POST, OPTIONS");
    assert_string_equal(fake_header(&x, "Access-Control-Allow-Origin"), "https://page.example");
    assert_string_equal(fake_header(&x, "Access-Control-Allow-Methods"),
                        "GET, HEAD, POST, OPTIONS");
    assert_string_equal(
        fake_header(&x, "Access-Control-Allow-Headers"),
        "Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, Last-Event-ID");
    assert_string_equal(fake_header(&x, "Access-Control-Max-Age"), "7200");
    fake_exchange_finish(&x);
    ask_options("/api/topics", "Origin: https://other.example\r\n", "GET, HEAD, OPTIONS");
    assert_null(fake_header(&x, "Access-Control-Allow-Origin"));
    assert_null(fake_header(&x, "Access-Control-Allow-Headers"));
    fake_exchange_finish(&x);
    ask_options("/api/topics/a/b", preflight, "DELETE, OPTIONS");
    assert_string_equal(fake_header(&x, "Access-Control-Allow-Methods"), "DELETE, OPTIONS");
    fake_exchange_finish(&x);
    ask_options("*", "", "GET, HEAD, POST, DELETE, OPTIONS");
    fake_exchange_finish(&x);
}

// OPTIONS on the path of a topic never becomes a subscription, whatever else it says.
static void test_options_subscribes_to_nothing(void **state) {
    ask_options("/events/a?last_event_id=earliest", "", "GET, HEAD, POST, OPTIONS");
    fake_exchange_finish(&x);
    assert_int_equal(atomic_load(&fake.worker->counters.opened), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_entrances),
        TEST(test_found),
        TEST(test_not_found),
        TEST(test_not_allowed),
        TEST(test_refusals_are_counted),
        TEST(test_options),
        TEST(test_options_subscribes_to_nothing),
        TEST(test_what_cannot_be_purged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
