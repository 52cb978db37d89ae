// What one --listen may say, and what it may not.
#include "support.h"

#include <string.h>

#include "net/listen_spec.h"

static struct listen_spec good(const char *text) {
    struct listen_spec spec;
    const char *wrong = listen_spec_parse(text, &spec);
    if (wrong) {
        fail_msg("\"%s\": %s", text, wrong);
    }
    return spec;
}

static void assert_place(const char *text, const char *place) {
    char written[ADDRESS_TEXT_MAX];
    struct listen_spec spec = good(text);
    assert_false(spec.handed_over);
    address_format(&spec.address, written);
    assert_string_equal(written, place);
}

static void test_places(void **state) {
    assert_place("127.0.0.1:8042", "127.0.0.1:8042");
    assert_place("localhost:8042", "127.0.0.1:8042");
    assert_place(":8042", "0.0.0.0:8042");
    assert_place("[::1]:8042", "[::1]:8042");
    assert_place("http://127.0.0.1:0", "127.0.0.1:0");
    assert_place("https://[::]:443", "[::]:443");
    assert_place("unix:/run/freshet.sock", "unix:/run/freshet.sock");
    assert_place("https://unix:/run/freshet.sock", "unix:/run/freshet.sock");
    assert_place("unix:/run/a b:c.sock", "unix:/run/a b:c.sock");
}

static void test_defaults(void **state) {
    struct listen_spec spec = good("127.0.0.1:8042");
    assert_false(spec.tls);
    assert_false(spec.proxy);
    assert_false(listen_spec_is_unix(&spec));
    assert_int_equal(spec.mode, -1);
    assert_int_equal(spec.user.len + spec.group.len + spec.name.len, 0);
}

static void test_tls(void **state) {
    assert_true(good("https://127.0.0.1:8042").tls);
    assert_false(good("http://127.0.0.1:8042").tls);
}

static void test_handed_over(void **state) {
    struct listen_spec spec = good("systemd");
    assert_true(spec.handed_over);
    assert_int_equal(spec.name.len, 0);
    spec = good("https://systemd:web;proxy");
    assert_true(spec.handed_over && spec.tls && spec.proxy);
    assert_true(bytes_is(spec.name, "web"));
    assert_false(listen_spec_is_unix(&spec));
}

static void test_options(void **state) {
    struct listen_spec spec = good("unix:/run/f.sock;mode=0660;owner=www-data:web;proxy");
    assert_true(listen_spec_is_unix(&spec) && spec.proxy);
    assert_int_equal(spec.mode, 0660);
    assert_true(bytes_is(spec.user, "www-data"));
    assert_true(bytes_is(spec.group, "web"));
    spec = good("unix:/run/f.sock;owner=:web");
    assert_int_equal(spec.user.len, 0);
    assert_true(bytes_is(spec.group, "web"));
    spec = good("unix:/run/f.sock;owner=33");
    assert_true(bytes_is(spec.user, "33"));
    assert_int_equal(spec.group.len, 0);
    assert_int_equal(good("unix:/f;mode=777").mode, 0777);
    assert_int_equal(good("unix:/f;mode=0000").mode, 0);
    assert_true(good("127.0.0.1:80;proxy").proxy);
}

struct refusal {
    const char *text, *says;
};

static const struct refusal refusals[] = {
    {"", "127.0.0.1:8042"},
    {"8042", "127.0.0.1:8042"},
    {"ftp://127.0.0.1:80", "127.0.0.1:8042"},
    {"http://http://127.0.0.1:80", "127.0.0.1:8042"},
    {"HTTPS://127.0.0.1:80", "127.0.0.1:8042"},
    {"http://127.0.0.1:80/", "path"},
    {"https://127.0.0.1", "127.0.0.1:8042"},
    {"systemd ", "127.0.0.1:8042"},
    {"systemd:", "name"},
    {"unix:", "unix:/run/freshet.sock"},
    {"unix:freshet.sock", "unix:/run/freshet.sock"},
    {"unix:@freshet", "unix:/run/freshet.sock"},
    {"unix:/f;mode=", "mode=0660"},
    {"unix:/f;mode=660x", "mode=0660"},
    {"unix:/f;mode=0680", "mode=0660"},
    {"unix:/f;mode=66", "mode=0660"},
    {"unix:/f;mode=1777", "mode=0660"},
    {"unix:/f;mode=00660", "mode=0660"},
    {"unix:/f;mode=-660", "mode=0660"},
    {"unix:/f;owner=", "owner="},
    {"unix:/f;owner=:", "owner="},
    {"unix:/f;owner=a:", "owner="},
    {"unix:/f;mode", "semicolon"},
    {"127.0.0.1:80;mode=0660", "Unix socket"},
    {"systemd;owner=a", "Unix socket"},
    {"127.0.0.1:80;proxy=yes", "semicolon"},
    {"127.0.0.1:80;Proxy", "semicolon"},
    {"127.0.0.1:80; proxy", "semicolon"},
    {"127.0.0.1:80;;proxy", "semicolon"},
    {"127.0.0.1:80;", "semicolon"},
    {"127.0.0.1:80;proxy;", "semicolon"},
};

static void test_refusals(void **state) {
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct listen_spec spec;
        const char *wrong = listen_spec_parse(refusals[i].text, &spec);
        if (!wrong || !strstr(wrong, refusals[i].says)) {
            fail_msg("\"%s\": %s", refusals[i].text, wrong ? wrong : "was taken");
        }
    }
}

static void test_any_length(void **state) {
    char text[1024];
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct listen_spec spec;
        memset(text, '1', len);
        text[len] = '\0';
        assert_non_null(listen_spec_parse(text, &spec));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),     cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_tls),        cmocka_unit_test(test_handed_over),
        cmocka_unit_test(test_options),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
