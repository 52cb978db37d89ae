// Who can become whom. Becoming somebody takes root and ends with the process, so that is for
// tests/integration.
#include "support.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "server/privileges.h"

static void assert_refused(const char *name, const char *why) {
    struct privileges privileges;
    char problem[PRIVILEGES_PROBLEM_MAX] = "";
    assert_int_equal(privileges_find(&privileges, name, false, problem), ERR_INVALID);
    assert_non_null(strstr(problem, why));
    assert_false(privileges.wanted);
}

static void test_nobody_is_meant(void **state) {
    (void)state;
    struct privileges privileges;
    char problem[PRIVILEGES_PROBLEM_MAX] = "";
    uid_t before = geteuid();
    assert_int_equal(privileges_find(&privileges, NULL, true, problem), 0);
    assert_int_equal(privileges_enter(&privileges, problem), 0);
    assert_int_equal(privileges_leave(&privileges, problem), 0);
    assert_int_equal(privileges_drop(&privileges, problem), 0);
    assert_int_equal(geteuid(), before);
}

static void test_refused(void **state) {
    (void)state;
    assert_refused("root", "that is root");
    assert_refused("no-such-user-here", "there is no user of that name");
    assert_refused("", "there is no user of that name");
}

static void test_somebody_else(void **state) {
    (void)state;
    const struct passwd *other = getpwnam("nobody");
    struct privileges privileges;
    char problem[PRIVILEGES_PROBLEM_MAX] = "";
    if (!other || other->pw_uid == geteuid()) {
        skip();
    }
    uid_t user = other->pw_uid;
    assert_int_equal(privileges_find(&privileges, "nobody", false, problem), 0);
    assert_true(privileges.wanted && !privileges.is);
    assert_int_equal(privileges.user, user);
    if (geteuid() == 0) {
        assert_int_equal(privileges_find(&privileges, "nobody", true, problem), 0);
        assert_int_equal(privileges_enter(&privileges, problem), 0);
        assert_int_equal(geteuid(), user);
        assert_int_equal(privileges_leave(&privileges, problem), 0);
        assert_int_equal(geteuid(), 0);
        assert_int_equal(getegid(), getgid());
    } else {
        assert_int_equal(privileges_find(&privileges, "nobody", true, problem), ERR_INVALID);
        assert_non_null(strstr(problem, "only root"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_meant),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
