// The judgement on a way: facts in, findings out.
#include "cli/doctor_path.h"

#include <string.h>

#include "support.h"

static const char GOOD_HEAD[] = "Content-Type: text/event-stream\n"
                                "Cache-Control: no-cache, no-store, no-transform\n";

struct trial {
    struct doctor_path path;
    struct findings findings;
};

static void set_head(struct trial *trial, const char *more) {
    buf_clear(&trial->path.head);
    assert_int_equal(buf_append_text(&trial->path.head, GOOD_HEAD), 0);
    assert_int_equal(buf_append_text(&trial->path.head, more), 0);
}

// A way on which nothing is wrong.
static struct trial *good(void) {
    static struct trial trial;
    doctor_path_init(&trial.path, &mem_libc);
    findings_init(&trial.findings, &mem_libc);
    trial.path.reached = trial.path.published = true;
    trial.path.status = 200;
    trial.path.version = 11;
    trial.path.waited_ms = 5000;
    trial.path.head_ms = 1;
    trial.path.first_byte_ms = 0;
    trial.path.sent = trial.path.came = 3;
    trial.path.second = SECOND_FINE;
    trial.path.resumes = trial.path.resumes_by_query = DOCTOR_YES;
    trial.path.origin_status = 200;
    trial.path.origin_allowed = trial.path.preflight_allowed = DOCTOR_YES;
    strcpy(trial.path.origin, "https://a.example");
    trial.path.watched_ms = 20000;
    trial.path.heartbeats = 1;
    trial.path.after_idle = DOCTOR_YES;
    set_head(&trial, "");
    return &trial;
}

// The check is of that level with that in its text and advice, and nothing else is worse than OK.
static void expect(struct trial *trial, const char *check, enum finding_level level,
                   const char *in_text, const char *in_advice) {
    doctor_path_judge(&trial->path, &trial->findings);
    const struct finding *finding = findings_get(&trial->findings, check);
    assert_non_null(finding);
    assert_int_equal(finding->level, level);
    assert_non_null(strstr(finding->text, in_text));
    assert_non_null(strstr(finding->advice, in_advice));
    for (size_t i = 0; i < trial->findings.count; i++) {
        assert_true(&trial->findings.items[i] == finding ||
                    trial->findings.items[i].level <= FINDING_SKIP);
    }
    findings_finish(&trial->findings);
    doctor_path_finish(&trial->path);
}

static void a_good_way_is_well(void **state) {
    struct trial *trial = good();
    doctor_path_judge(&trial->path, &trial->findings);
    assert_int_equal(findings_worst(&trial->findings), FINDING_OK);
    assert_int_equal(trial->findings.count, 8);
    assert_null(findings_get(&trial->findings, "hops"));
    findings_finish(&trial->findings);
    doctor_path_finish(&trial->path);
}

static void nobody_answers(void **state) {
    struct trial *trial = good();
    trial->path.reached = false;
    strcpy(trial->path.reason, "no route");
    assert_false(doctor_path_tested(&trial->path));
    expect(trial, "reach", FINDING_FAIL, "no route", "address");
}

static void a_certificate_that_is_not_trusted(void **state) {
    struct trial *trial = good();
    trial->path.reached = false;
    trial->path.untrusted = trial->path.https = true;
    strcpy(trial->path.reason, "signed by itself");
    assert_true(doctor_path_tested(&trial->path));
    expect(trial, "certificate", FINDING_FAIL, "signed by itself", "--cacert");
}

static void a_server_that_wants_certificates(void **state) {
    struct trial *trial = good();
    trial->path.reached = false;
    trial->path.https = true;
    strcpy(trial->path.reason, "closed");
    assert_false(doctor_path_tested(&trial->path));
    expect(trial, "reach", FINDING_FAIL, "closed", "--tls-client-ca");
}

static void answers_that_are_no_stream(void **state) {
    static const struct {
        long status;
        const char *text, *advice;
    } cases[] = {{504, "in vain", "/readyz"},
                 {502, "no server", "/readyz"},
                 {401, "--header", "without the proxy"},
                 {404, "no such path", ""},
                 {301, "new URL: https://b/", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trial *trial = good();
        trial->path.status = cases[i].status;
        set_head(trial, "Location: https://b/\n");
        expect(trial, "status", FINDING_FAIL, cases[i].text, cases[i].advice);
    }
    struct trial *trial = good();
    buf_clear(&trial->path.head);
    expect(trial, "content-type", FINDING_FAIL, "\"\"", "rewrites");
}

static void versions(void **state) {
    struct trial *trial = good();
    trial->path.version = 10;
    set_head(trial, "Server: nginx\n");
    expect(trial, "version", FINDING_WARN, "HTTP/1.0", "proxy_http_version 1.1");
    trial = good();
    trial->path.https = true;
    expect(trial, "version", FINDING_WARN, "six", "HTTP/2");
    trial = good();
    trial->path.https = true;
    trial->path.version = 20;
    expect(trial, "version", FINDING_OK, "HTTP/2", "");
}

static void heads(void **state) {
    struct trial *trial = good();
    buf_clear(&trial->path.head);
    buf_append_text(&trial->path.head, "Content-Type: text/event-stream\nCache-Control: no-cache");
    expect(trial, "headers", FINDING_WARN, "\"no-cache\"", "unchanged");
    trial = good();
    set_head(trial, "Content-Length: 5\n");
    expect(trial, "headers", FINDING_FAIL, "Content-Length", "");
    trial = good();
    set_head(trial, "Age: 7\n");
    expect(trial, "caching", FINDING_FAIL, "Age", "Never cache");
    trial = good();
    set_head(trial, "X-Cache: Hit from cloudfront\nX-Amz-Cf-Id: a\n");
    expect(trial, "caching", FINDING_FAIL, "X-Cache", "CachingDisabled");
    trial = good();
    set_head(trial, "Age: 0\nX-Cache: Miss\n");
    expect(trial, "caching", FINDING_OK, "its own", "");
}

static struct trial *held_back(const char *more) {
    struct trial *trial = good();
    set_head(trial, more);
    trial->path.sent = 1;
    trial->path.came = 0;
    trial->path.pushed = true;
    trial->path.pushed_bytes = 4096;
    trial->path.second = SECOND_UNKNOWN;
    trial->path.resumes = trial->path.resumes_by_query = DOCTOR_UNKNOWN;
    trial->path.after_idle = DOCTOR_UNKNOWN;
    return trial;
}

static void events_that_are_held_back(void **state) {
    struct trial *trial = held_back("Server: nginx\n");
    expect(trial, "buffering", FINDING_FAIL, "about 4096 bytes", "proxy_buffering off");
    trial = held_back("Content-Encoding: gzip\nServer: Caddy\n");
    trial->path.plain = DOCTOR_YES;
    expect(trial, "compression", FINDING_FAIL, "gzip", "no encode");
    // It is not the compression when it is no better without.
    trial = held_back("Content-Encoding: gzip\n");
    trial->path.plain = DOCTOR_NO;
    expect(trial, "buffering", FINDING_FAIL, "4096", "buffering off");
    trial = held_back("");
    trial->path.pushed = false;
    trial->path.nothing = true;
    expect(trial, "delivery", FINDING_FAIL, "not even after 4096", "--publish-url");
    // And not even a head.
    trial = held_back("");
    buf_clear(&trial->path.head);
    trial->path.status = 0;
    trial->path.pushed = false;
    trial->path.nothing = true;
    trial->path.origin_status = 0;
    expect(trial, "buffering", FINDING_FAIL, "no head either", "buffering off");
}

static void streams_that_end_at_once(void **state) {
    struct trial *trial = good();
    trial->path.sent = 1;
    trial->path.came = 0;
    trial->path.second = SECOND_UNKNOWN;
    expect(trial, "delivery", FINDING_FAIL, "ended before", "full");
}

static void events_that_come_late(void **state) {
    struct trial *trial = good();
    trial->path.late_ms = 1500;
    expect(trial, "delivery", FINDING_WARN, "1.5 s", "buffering off");
    trial = good();
    trial->path.first_byte_ms = 5001;
    set_head(trial, "X-Varnish: 3\n");
    expect(trial, "first-bytes", FINDING_WARN, "with the first event", "return (pipe)");
    trial = good();
    set_head(trial, "Content-Encoding: br\n");
    expect(trial, "compression", FINDING_OK, "br", "");
}

static void nothing_is_published(void **state) {
    struct trial *trial = good();
    trial->path.published = false;
    strcpy(trial->path.publish_reason, "publishing is answered with 403");
    expect(trial, "delivery", FINDING_SKIP, "403", "");
    trial = good();
    trial->path.published = false;
    trial->path.first_byte_ms = -1;
    expect(trial, "buffering", FINDING_FAIL, "first bytes", "buffering off");
}

static void second_listeners(void **state) {
    struct trial *trial = good();
    trial->path.second = SECOND_STALE;
    set_head(trial, "X-Served-By: cache-a\n");
    expect(trial, "caching", FINDING_FAIL, "from before", "return(pass)");
    trial = good();
    trial->path.second = SECOND_HELD_BACK;
    expect(trial, "caching", FINDING_FAIL, "one request of the two", "Never cache");
    trial = good();
    trial->path.second = SECOND_MISSED;
    expect(trial, "caching", FINDING_FAIL, "does not get", "Never cache");
    trial = good();
    trial->path.second = SECOND_REFUSED;
    trial->path.second_status = 429;
    expect(trial, "caching", FINDING_FAIL, "429", "limit");
}

static void resuming(void **state) {
    struct trial *trial = good();
    trial->path.resumes = DOCTOR_NO;
    expect(trial, "resume", FINDING_FAIL, "last_event_id does", "Last-Event-ID forwarded");
    trial = good();
    trial->path.resumes = trial->path.resumes_by_query = DOCTOR_NO;
    expect(trial, "resume", FINDING_FAIL, "neither", "--history-count");
    trial = good();
    trial->path.resumes_by_query = DOCTOR_NO;
    expect(trial, "resume-query", FINDING_WARN, "query", "query string");
}

static void origins(void **state) {
    struct trial *trial = good();
    trial->path.origin_allowed = DOCTOR_NO;
    expect(trial, "origin", FINDING_OK, "--origin", "");
    trial = good();
    trial->path.origin_allowed = DOCTOR_NO;
    trial->path.origin_chosen = true;
    expect(trial, "origin", FINDING_FAIL, "https://a.example", "--cors-origin https://a.example");
    trial = good();
    trial->path.origin_status = 403;
    expect(trial, "origin", FINDING_WARN, "403", "Origin");
    trial = good();
    trial->path.preflight_allowed = DOCTOR_NO;
    trial->path.preflight_status = 405;
    expect(trial, "preflight", FINDING_WARN, "405", "OPTIONS");
}

static void quiet_streams(void **state) {
    struct trial *trial = good();
    trial->path.cut = true;
    trial->path.silence_ms = 60000;
    trial->path.lived_ms = 61000;
    set_head(trial, "Server: nginx\n");
    expect(trial, "idle", FINDING_FAIL, "after 60.0 s of silence", "proxy_read_timeout");
    trial = good();
    trial->path.cut = true;
    trial->path.silence_ms = 2000;
    trial->path.lived_ms = 30000;
    set_head(trial, "Via: 1.1 google\n");
    expect(trial, "idle", FINDING_WARN, "30.0 s after it began", "backend service");
    trial = good();
    trial->path.after_idle = DOCTOR_NO;
    expect(trial, "idle", FINDING_FAIL, "forgotten", "--heartbeat");
    trial = good();
    trial->path.heartbeats = 0;
    expect(trial, "idle", FINDING_WARN, "No heartbeat", "--heartbeat 15s");
    // Too short a time to miss one.
    trial = good();
    trial->path.heartbeats = 0;
    trial->path.watched_ms = 5000;
    expect(trial, "idle", FINDING_OK, "5.0 s", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_way_is_well),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(a_certificate_that_is_not_trusted),
        cmocka_unit_test(a_server_that_wants_certificates),
        cmocka_unit_test(answers_that_are_no_stream),
        cmocka_unit_test(versions),
        cmocka_unit_test(heads),
        cmocka_unit_test(events_that_are_held_back),
        cmocka_unit_test(streams_that_end_at_once),
        cmocka_unit_test(events_that_come_late),
        cmocka_unit_test(nothing_is_published),
        cmocka_unit_test(second_listeners),
        cmocka_unit_test(resuming),
        cmocka_unit_test(origins),
        cmocka_unit_test(quiet_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
