// What a backend says, read: yes, no, and everything that is neither; also when memory runs out (the
// linker hands allocations over to us, see meson.build, because what it makes takes no allocator).
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "auth/verdict.h"
#include "failing_malloc.h"

static struct grants asked;

static int ask_names(void **state) {
    grants_init(&asked);
    assert_int_equal(grants_add(&asked, bytes_of("a"), RIGHT_SUBSCRIBE), 0);
    assert_int_equal(grants_add(&asked, bytes_of("b/*"), RIGHT_SUBSCRIBE), 0);
    return 0;
}

static int forget_names(void **state) {
    grants_finish(&asked);
    return 0;
}

static struct verdict_question question(void) {
    return (struct verdict_question){.names = &asked, .subject = bytes_of("ann"), .leeway_ms = 10};
}

static struct verdict read_answer(long status, const char *cache_control, const char *body) {
    struct verdict verdict;
    struct verdict_question about = question();
    struct verdict_answer answer = {
        .status = status, .cache_control = bytes_of(cache_control), .body = bytes_of(body)};
    verdict_read(&verdict, &answer, &about, 1000);
    return verdict;
}

static bool covers(const struct verdict *verdict, const char *name, enum right right) {
    return grants_cover(&verdict->identity->claims.grants, bytes_of(name), right);
}

static void a_plain_yes_allows_what_was_asked(void **state) {
    static const char *const bodies[] = {"", "{}", " {\"more\": [1]} "};
    for (size_t i = 0; i < 3; i++) {
        struct verdict verdict = read_answer(200, "", bodies[i]);
        assert_int_equal(verdict.kind, VERDICT_YES);
        assert_true(covers(&verdict, "a", RIGHT_SUBSCRIBE));
        assert_true(covers(&verdict, "b/1", RIGHT_SUBSCRIBE));
        assert_false(covers(&verdict, "c", RIGHT_SUBSCRIBE));
        assert_false(covers(&verdict, "a", RIGHT_PUBLISH));
        assert_true(bytes_is(buf_bytes(&verdict.identity->claims.subject), "ann"));
        assert_int_equal(verdict.identity->claims.expires_ms, 0);
        assert_false(verdict.identity->claims.admin);
        assert_int_equal(verdict.keep_ms, 0);
        verdict_finish(&verdict);
    }
}

static void a_list_says_what_is_allowed(void **state) {
    struct verdict verdict = read_answer(
        200, "max-age=60",
        "{\"subscribe\":[\"b/1\"],\"publish\":[\"c\"],\"sub\":\"ben\",\"expires_in\":5}");
    assert_int_equal(verdict.kind, VERDICT_YES);
    assert_false(covers(&verdict, "a", RIGHT_SUBSCRIBE));
    assert_true(covers(&verdict, "b/1", RIGHT_SUBSCRIBE));
    assert_false(covers(&verdict, "b/2", RIGHT_SUBSCRIBE));
    assert_true(covers(&verdict, "c", RIGHT_PUBLISH));
    assert_true(bytes_is(buf_bytes(&verdict.identity->claims.subject), "ben"));
    assert_int_equal(verdict.identity->claims.expires_ms, 1000 + 5000 - 10);
    assert_int_equal(verdict.keep_ms, 5000);
    verdict_finish(&verdict);
    verdict = read_answer(200, "", "{\"subscribe\":[]}");
    assert_int_equal(verdict.kind, VERDICT_YES);
    assert_false(covers(&verdict, "a", RIGHT_SUBSCRIBE));
    verdict_finish(&verdict);
    verdict = read_answer(200, "", "{\"publish\":[]}");
    assert_true(covers(&verdict, "a", RIGHT_SUBSCRIBE));
    verdict_finish(&verdict);
}

static void what_is_neither_yes_nor_no_is_nothing(void **state) {
    static const long statuses[] = {0, 100, 201, 202, 206, 301, 302, 400, 404, 429, 500, 503};
    static const char *const bodies[] = {"<html>",
                                         "[]",
                                         "\"yes\"",
                                         "true",
                                         " ",
                                         "{",
                                         "{}{}",
                                         "{\"subscribe\":null}",
                                         "{\"subscribe\":\"a\"}",
                                         "{\"subscribe\":{}}",
                                         "{\"subscribe\":[1]}",
                                         "{\"subscribe\":[[\"a\"]]}",
                                         "{\"subscribe\":[\"\"]}",
                                         "{\"subscribe\":[\"a\\u0000\"]}",
                                         "{\"subscribe\":[],\"subscribe\":[\"a\"]}",
                                         "{\"sub\":1}",
                                         "{\"sub\":null}",
                                         "{\"expires_in\":0}",
                                         "{\"expires_in\":-1}",
                                         "{\"expires_in\":1.5}",
                                         "{\"expires_in\":\"60\"}",
                                         "{\"expires_in\":99999999999999999999}"};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct verdict verdict = read_answer(statuses[i], "max-age=60", "");
        assert_int_equal(verdict.kind, VERDICT_UNKNOWN);
        assert_non_null(verdict.problem);
        assert_int_equal(verdict.keep_ms, 0);
        assert_null(verdict.identity);
    }
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct verdict verdict = read_answer(200, "max-age=60", bodies[i]);
        assert_int_equal(verdict.kind, VERDICT_UNKNOWN);
        assert_non_null(verdict.problem);
        assert_int_equal(verdict.keep_ms, 0);
        assert_null(verdict.identity);
    }
}

static void a_no_can_be_kept(void **state) {
    struct verdict verdict = read_answer(403, "private, max-age=7", "<html>");
    assert_int_equal(verdict.kind, VERDICT_NO);
    assert_int_equal(verdict.keep_ms, 7000);
    verdict = read_answer(401, "", "");
    assert_int_equal(verdict.kind, VERDICT_WHO);
    assert_int_equal(verdict.keep_ms, 0);
}

static void it_says_how_long_it_is_kept(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"max-age=1", 1000},
                 {"MAX-AGE=2 , public", 2000},
                 {"max-age=999999999", VERDICT_KEEP_MAX_MS},
                 {"max-age=99999999999999999999999", 0},
                 {"max-age=9, max-age=3", 3000},
                 {"max-age=9, no-store", 0},
                 {"No-Cache, max-age=9", 0},
                 {"max-age=-1", 0},
                 {"max-age=\"9\"", 0},
                 {"max-age", 0},
                 {"s-maxage=9", 0},
                 {"max-age=", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict verdict = read_answer(204, cases[i].text, "");
        assert_int_equal(verdict.kind, VERDICT_YES);
        assert_int_equal(verdict.keep_ms, cases[i].ms);
        verdict_finish(&verdict);
    }
}

static void a_long_subject_is_refused(void **state) {
    char body[400];
    memset(body, 'x', sizeof(body));
    memcpy(body, "{\"sub\":\"", 8);
    memcpy(body + 8 + SUBJECT_MAX, "\"}", 3);
    struct verdict verdict = read_answer(200, "", body);
    assert_int_equal(verdict.kind, VERDICT_YES);
    verdict_finish(&verdict);
    memcpy(body + 8 + SUBJECT_MAX, "x\"}", 4);
    assert_int_equal(read_answer(200, "", body).kind, VERDICT_UNKNOWN);
}

static void without_memory_it_is_nothing(void **state) {
    static const char body[] = "{\"subscribe\":[\"a\",\"b/*\",\"c\"],\"sub\":\"ben\"}";
    long failed = 0;
    for (long nth = 1;; nth++) {
        failing_malloc_begin(nth);
        struct verdict verdict = read_answer(200, "max-age=60", body);
        if (failing_malloc_end() < nth) {
            assert_int_equal(verdict.kind, VERDICT_YES);
            verdict_finish(&verdict);
            break;
        }
        failed++;
        assert_int_equal(verdict.kind, VERDICT_UNKNOWN);
        assert_null(verdict.identity);
    }
    assert_true(failed > 3);
}

static void a_yes_can_be_assumed(void **state) {
    struct verdict verdict;
    struct verdict_question about = question();
    verdict_assume(&verdict, &about);
    assert_int_equal(verdict.kind, VERDICT_YES);
    assert_true(covers(&verdict, "a", RIGHT_SUBSCRIBE));
    assert_false(covers(&verdict, "c", RIGHT_SUBSCRIBE));
    assert_int_equal(verdict.keep_ms, 0);
    verdict_finish(&verdict);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_yes_allows_what_was_asked),
        cmocka_unit_test(a_list_says_what_is_allowed),
        cmocka_unit_test(what_is_neither_yes_nor_no_is_nothing),
        cmocka_unit_test(a_no_can_be_kept),
        cmocka_unit_test(it_says_how_long_it_is_kept),
        cmocka_unit_test(a_long_subject_is_refused),
        cmocka_unit_test(without_memory_it_is_nothing),
        cmocka_unit_test(a_yes_can_be_assumed),
    };
    return cmocka_run_group_tests(tests, ask_names, forget_names);
}
