// What claims let somebody do, and when they do not hold.
#include "support.h"

#include <stdio.h>

#include "auth/claims.h"
#include "base/error.h"
#include "base/json.h"

enum { NOW_S = 1700000000 };

static char *one_text[] = {(char *)(uintptr_t) "me"};
static char *own_topics[] = {(char *)(uintptr_t) "users/{sub}/*"};
static const struct texts me = {.items = one_text, .count = 1};
static const struct texts own = {.items = own_topics, .count = 1};

static bool read(struct claims *claims, const char *text, const struct claims_policy *policy,
                 const char **problem) {
    struct bytes object;
    assert_int_equal(json_validate(bytes_of(text), 16, &object), 0);
    return claims_read(claims, object, policy, (int64_t)NOW_S * 1000, problem);
}

static bool holds(const char *text) {
    static const struct claims_policy policy = {.member = "freshet", .leeway_ms = 5000};
    const char *problem = NULL;
    struct claims claims;
    bool fine = read(&claims, text, &policy, &problem);
    assert_true(fine == (problem == NULL));
    claims_finish(&claims);
    return fine;
}

static bool may(const char *text, const char *topic, enum right right) {
    static const struct claims_policy policy = {.member = "freshet", .subscribe = &own};
    const char *problem;
    struct claims claims;
    bool fine = read(&claims, text, &policy, &problem) &&
                grants_cover(&claims.grants, bytes_of(topic), right);
    claims_finish(&claims);
    return fine;
}

static void test_times(void **state) {
    (void)state;
    assert_true(holds("{}"));
    assert_true(holds("{\"exp\":1700000001}"));
    assert_true(holds("{\"exp\":1699999996}")); // within the leeway
    assert_false(holds("{\"exp\":1699999995}"));
    assert_false(holds("{\"exp\":0}"));
    assert_true(holds("{\"exp\":1700000001.75}"));
    assert_true(holds("{\"nbf\":1700000005}"));
    assert_false(holds("{\"nbf\":1700000006}"));
    assert_false(holds("{\"exp\":\"1700000001\"}"));
    assert_false(holds("{\"exp\":1e99}"));
    assert_false(holds("{\"exp\":-1}"));
    assert_false(holds("{\"exp\":99999999999999999999}"));
    assert_false(holds("{\"exp\":1700000001,\"exp\":1900000000}"));
    assert_false(holds("{\"exp\":null}"));
}

static void test_issuer_and_audience(void **state) {
    (void)state;
    static const struct claims_policy policy = {
        .member = "freshet", .issuers = &me, .audiences = &me};
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {
        {"{\"iss\":\"me\",\"aud\":\"me\"}", true},
        {"{\"iss\":\"me\",\"aud\":[\"you\",\"me\"]}", true},
        {"{\"iss\":\"me\",\"aud\":[\"you\"]}", false},
        {"{\"iss\":\"me\",\"aud\":[]}", false},
        {"{\"iss\":\"me\",\"aud\":{\"me\":1}}", false},
        {"{\"iss\":\"me\"}", false},
        {"{\"iss\":\"you\",\"aud\":\"me\"}", false},
        {"{\"iss\":[\"me\"],\"aud\":\"me\"}", false},
        {"{\"aud\":\"me\"}", false},
        {"{\"iss\":\"me\",\"iss\":\"you\",\"aud\":\"me\"}", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *problem;
        struct claims claims;
        assert_int_equal(read(&claims, cases[i].text, &policy, &problem), cases[i].fine);
        claims_finish(&claims);
    }
}

static void test_rights(void **state) {
    (void)state;
    const char *both = "{\"sub\":\"ann\",\"freshet\":{\"subscribe\":[\"news\",\"rooms/*\"],"
                       "\"publish\":[\"rooms/{sub}\"]}}";
    assert_true(may(both, "news", RIGHT_SUBSCRIBE));
    assert_true(may(both, "rooms/1", RIGHT_SUBSCRIBE));
    assert_false(may(both, "news", RIGHT_PUBLISH));
    assert_true(may(both, "rooms/ann", RIGHT_PUBLISH));
    assert_false(may(both, "rooms/ben", RIGHT_PUBLISH));
    assert_true(may(both, "users/ann/inbox", RIGHT_SUBSCRIBE)); // by the setting
    assert_true(may(both, "users/ann/*", RIGHT_SUBSCRIBE));
    assert_false(may(both, "users/*/inbox", RIGHT_SUBSCRIBE));
    assert_false(may(both, "users/**", RIGHT_SUBSCRIBE));
}

// Whoever chooses their own name must not choose everybody's.
static void test_names_that_reach_further(void **state) {
    (void)state;
    static const char *const subjects[] = {"*",  "**",      "",      "ann/../ben", "ben/x",
                                           "a*", "\\u0000", "a\\nb", "/"};
    char text[100];
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        snprintf(text, sizeof(text), "{\"sub\":\"%s\"}", subjects[i]);
        assert_false(may(text, "users/ben/inbox", RIGHT_SUBSCRIBE));
        assert_false(may(text, "users/*/inbox", RIGHT_SUBSCRIBE));
    }
    assert_false(may("{}", "users/ben/inbox", RIGHT_SUBSCRIBE));
    assert_false(may("{\"sub\":\"ben\",\"sub\":\"ann\"}", "users/ben/inbox", RIGHT_SUBSCRIBE));
    assert_false(may("{\"freshet\":{\"subscribe\":[\"{a}{b}\"]},\"a\":\"*\",\"b\":\"*\"}", "x",
                     RIGHT_SUBSCRIBE));
    assert_true(may("{\"freshet\":{\"subscribe\":[\"t/{n}\"]},\"n\":42}", "t/42", RIGHT_SUBSCRIBE));
}

static void test_rights_of_the_wrong_kind(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{\"freshet\":7}",
        "{\"freshet\":{\"subscribe\":\"news\"}}",
        "{\"freshet\":{\"publish\":[7]}}",
        "{\"freshet\":{\"publish\":[\"\"]}}",
        "{\"freshet\":{\"publish\":[\"**/a\"]}}",
        "{\"freshet\":{\"publish\":[\"a{\"]}}",
        "{\"freshet\":{\"admin\":1}}",
        "{\"freshet\":{},\"freshet\":{\"admin\":true}}",
        "{\"sub\":7}",
        "{\"sub\":\"a\\u0007\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(holds(bad[i]));
    }
}

static void test_admin_and_subject(void **state) {
    (void)state;
    static const struct claims_policy policy = {.member = "freshet"};
    const char *problem;
    struct claims claims;
    assert_true(read(&claims, "{\"sub\":\"ann\",\"exp\":1800000000,\"freshet\":{\"admin\":true}}",
                     &policy, &problem));
    assert_true(claims.admin);
    assert_true(bytes_is(buf_bytes(&claims.subject), "ann"));
    assert_int_equal(claims.expires_ms, 1800000000000);
    assert_int_equal(claims.grants.count, 0);
    claims_finish(&claims);
    assert_true(read(&claims, "{\"freshet\":{\"admin\":false}}", &policy, &problem));
    assert_false(claims.admin);
    claims_finish(&claims);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_issuer_and_audience),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_names_that_reach_further),
        cmocka_unit_test(test_rights_of_the_wrong_kind),
        cmocka_unit_test(test_admin_and_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
