// What is answered with a file, with files of the test's own in place of those that the program has.
#include "server/fake.h"

#include "server/assets.h"
#include "server/routes.h"

const struct asset assets[] = {
    {"/", "text/html", "\"p\"", "\"p-gz\"", false, {"page", 4}, {"PG", 2}},
    {"/console/a-1.js", "text/javascript", "\"a\"", "\"a-gz\"", true, {"script", 6}, {"S", 1}},
};
const size_t assets_count = 2;

static struct fake_server fake;
static struct fake_exchange x;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static void assert_file(const char *path, const char *headers, int status, const char *body,
                        const char *etag) {
    fake_get(&x, &fake, path, headers);
    fake_assert_answer(&x, status, body);
    assert_string_equal(fake_header(&x, "ETag"), etag);
    assert_string_equal(fake_header(&x, "Vary"), "Accept, Accept-Encoding");
    assert_string_equal(fake_header(&x, "X-Content-Type-Options"), "nosniff");
    assert_non_null(strstr(fake_header(&x, "Content-Security-Policy"), "default-src 'none'"));
    bool page = strcmp(path, "/") == 0;
    assert_string_equal(fake_header(&x, "Cache-Control"),
                        page ? "no-cache" : "public, max-age=31536000, immutable");
    fake_exchange_finish(&x);
}

static void test_plain_and_packed(void **state) {
    assert_file("/console/a-1.js", "", 200, "script", "\"a\"");
    assert_file("/console/a-1.js", "Accept-Encoding: gzip\r\n", 200, "S", "\"a-gz\"");
    assert_file("/console/a-1.js", "Accept-Encoding: gzip;q=0\r\n", 200, "script", "\"a\"");
}

static void test_conditions(void **state) {
    assert_file("/console/a-1.js", "If-None-Match: \"a\"\r\n", 304, "", "\"a\"");
    assert_file("/console/a-1.js", "If-None-Match: \"a-gz\"\r\n", 200, "script", "\"a\"");
    assert_file("/console/a-1.js", "Accept-Encoding: gzip\r\nIf-None-Match: \"a-gz\"\r\n", 304, "",
                "\"a-gz\"");
}

static void test_front(void **state) {
    assert_file("/", "Accept: text/html\r\n", 200, "page", "\"p\"");
    fake_get(&x, &fake, "/", "Accept: */*\r\n");
    assert_int_equal(x.status, 200);
    assert_string_equal(fake_header(&x, "Content-Type"), "text/plain; charset=utf-8");
    fake_exchange_finish(&x);
}

static void test_missing(void **state) {
    static const char *const paths[] = {"/lab", "/console/", "/console/a-1.js/", "/console/A-1.js"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        fake_get(&x, &fake, paths[i], "");
        fake_assert_problem(&x, 404, "there is no such file");
        fake_exchange_finish(&x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain_and_packed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_front, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
