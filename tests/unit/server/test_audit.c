// What an audit line says, and what it never does; a queue that is full; files.
#include "server/fake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "server/audit.h"
#include "server/router.h"

static struct fake_server fake;
static char path[] = "/tmp/freshet-audit-XXXXXX";

static int setup(void **state) {
    int fd = mkstemp(path);
    fake_server_init(&fake);
    fake.settings.audit_log = path;
    fake_server_open(&fake);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return unlink(path);
}

static void run_mail(void) {
    struct task *task = mailbox_take(&fake.server.mail);
    while (task) {
        struct task *next = task->next;
        task->run(NULL, task);
        task = next;
    }
}

// What was written since the last time.
static const char *written(void) {
    static char text[4096];
    run_mail();
    int fd = open(path, O_RDWR);
    ssize_t len = read(fd, text, sizeof(text) - 1);
    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    return text;
}

static void ask(const char *method, const char *target) {
    struct fake_exchange x;
    fake_prepare(&x, &fake, method, target, "Authorization: Bearer secret-of-somebody\r\n");
    x.exchange.entrance = ENTRANCE_LOCAL;
    assert_int_equal(router_begin(&x.exchange, &x.req, false), 0);
    audit_end(&x.exchange); // as exchange_finish does
    fake_exchange_finish(&x);
}

static void test_changes_are_noted(void **state) {
    ask("DELETE", "/api/topics/a%22b?ticket=secret-of-somebody");
    const char *text = written();
    assert_non_null(strstr(text, "\"action\":\"purge\""));
    assert_non_null(strstr(text, "\"path\":\"/api/topics/a%22b\""));
    assert_non_null(strstr(text, "\"by\":\"anyone\""));
    assert_null(strstr(text, "secret-of-somebody"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_reading_is_not(void **state) {
    ask("GET", "/api/topics");
    ask("GET", "/metrics");
    ask("OPTIONS", "/api/reload");
    ask("GET", "/healthz");
    ask("DELETE", "/healthz");
    assert_string_equal(written(), "");
}

static void test_too_many_wait(void **state) {
    for (int i = 0; i < AUDIT_WAITING + 5; i++) {
        audit_note_signal(&fake.server, "reload", true);
    }
    run_mail();
    (void)written();
    audit_note_signal(&fake.server, "reload", false);
    const char *text = written();
    assert_non_null(strstr(text, "\"outcome\":\"failed\""));
    assert_int_equal(truncate(path, 0), 0);
}

static void test_what_was_lost_is_told(void **state) {
    for (int i = 0; i < AUDIT_WAITING + 5; i++) {
        audit_note_signal(&fake.server, "reload", true);
    }
    assert_non_null(strstr(written(), "{\"action\":\"lost\",\"lines\":5}\n"));
    assert_int_equal(truncate(path, 0), 0);
}

static void test_files(void **state) {
    char problem[AUDIT_PROBLEM_MAX];
    int fd;
    assert_int_equal(audit_open_file(NULL, &fd, problem), 0);
    assert_int_equal(fd, -1);
    assert_int_equal(audit_open_file("/nonexistent/log", &fd, problem), ERR_SYSTEM);
    assert_non_null(strstr(problem, "--audit-log /nonexistent/log"));
    assert_int_equal(audit_check_file("/nonexistent/log", problem), ERR_SYSTEM);
    assert_int_equal(audit_check_file("/", problem), ERR_SYSTEM);
    assert_int_equal(audit_check_file("-", problem), 0);
    assert_int_equal(audit_check_file(path, problem), 0);
    assert_int_equal(audit_check_file("/tmp/freshet-never-made", problem), 0);
    assert_int_not_equal(access("/tmp/freshet-never-made", F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_are_noted),
        cmocka_unit_test(test_reading_is_not),
        cmocka_unit_test(test_what_was_lost_is_told),
        cmocka_unit_test(test_too_many_wait),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
