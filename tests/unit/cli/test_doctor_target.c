// From what the user gave to where the doctor listens and publishes.
#include "cli/doctor_target.h"

#include "base/error.h"
#include "support.h"

static void expect(const char *url, const char *publish_url, bool given, const char *listen,
                   const char *publish) {
    struct test_mem mem;
    struct doctor_target target;
    test_mem_init(&mem);
    doctor_target_init(&target, &mem.mem);
    assert_int_equal(doctor_target_make(&target, url, publish_url, "doctor/1", given), 0);
    assert_string_equal(target.listen.at, listen);
    if (publish) {
        assert_string_equal(target.publish.at, publish);
    } else {
        assert_int_equal(target.publish.len, 0);
    }
    doctor_target_finish(&target);
    test_mem_finish(&mem);
}

static void the_address_of_a_server(void **state) {
    expect("http://a", NULL, false, "http://a/events/doctor/1", "http://a/events/doctor/1");
    expect("http://a:1/", NULL, false, "http://a:1/events/doctor/1", "http://a:1/events/doctor/1");
    expect("https://a/events", NULL, false, "https://a/events/doctor/1",
           "https://a/events/doctor/1");
    expect("https://a/b/events/", NULL, false, "https://a/b/events/doctor/1",
           "https://a/b/events/doctor/1");
    expect("http://a#x", NULL, false, "http://a/events/doctor/1", "http://a/events/doctor/1");
}

static void the_url_of_a_stream(void **state) {
    expect("http://a/events/news", NULL, false, "http://a/events/news?topic=doctor/1",
           "http://a/events/doctor/1");
    expect("http://a/events?topic=x", NULL, false, "http://a/events?topic=x&topic=doctor/1",
           "http://a/events/doctor/1");
    expect("http://a/b/events/news", NULL, false, "http://a/b/events/news?topic=doctor/1",
           "http://a/b/events/doctor/1");
    expect("http://a/events/news", NULL, true, "http://a/events/news", "http://a/events/doctor/1");
}

static void a_url_of_another_form(void **state) {
    expect("http://a/live", NULL, false, "http://a/live?topic=doctor/1", NULL);
    expect("http://a/eventsource", NULL, false, "http://a/eventsource?topic=doctor/1", NULL);
    expect("http://a?x=/events", NULL, false, "http://a?x=/events&topic=doctor/1", NULL);
    expect("http://a/live", "http://b:1", true, "http://a/live", "http://b:1/events/doctor/1");
    expect("http://a", "http://b/c/", false, "http://a/events/doctor/1",
           "http://b/c/events/doctor/1");
    expect("http://events/x", NULL, false, "http://events/x?topic=doctor/1", NULL);
}

static void nonsense_is_refused(void **state) {
    static const struct {
        const char *url, *publish_url;
    } cases[] = {
        {"a", NULL},
        {"ftp://a", NULL},
        {"", NULL},
        {"http://", NULL},
        {"http://a", "b"},
        {"http://a", "http://b?x"},
        {"http://a", "ftp://b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doctor_target target;
        doctor_target_init(&target, &mem_libc);
        assert_int_equal(
            doctor_target_make(&target, cases[i].url, cases[i].publish_url, "t", false),
            ERR_INVALID);
        doctor_target_finish(&target);
    }
}

static void the_past_is_asked_for(void **state) {
    assert_true(doctor_target_asks_past("http://a?last=1"));
    assert_true(doctor_target_asks_past("http://a?topic=b&since=1"));
    assert_true(doctor_target_asks_past("http://a?last_event_id=earliest&x"));
    assert_false(doctor_target_asks_past("http://a"));
    assert_false(doctor_target_asks_past("http://a/last=1?topic=last&x=since=1"));
}

static void memory_runs_out(void **state) {
    struct test_mem mem;
    int rc = ERR_NOMEM;
    for (long at = 1; rc; at++) {
        struct doctor_target target;
        test_mem_init(&mem);
        mem.fail_at = at;
        doctor_target_init(&target, &mem.mem);
        rc = doctor_target_make(&target, "http://a/events/news", NULL, "t", false);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(at < 100);
        doctor_target_finish(&target);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_of_a_server), cmocka_unit_test(the_url_of_a_stream),
        cmocka_unit_test(a_url_of_another_form),   cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_past_is_asked_for),   cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
