// The life of settings that are replaced: the block before goes when the worker has come to its task,
// and not earlier.
#include "server/fake.h"

#include <stdlib.h>

#include "base/error.h"

struct block {
    struct snapshot snapshot;
    struct settings settings;
    int *gone;
};

static struct fake_server fake;

static void destroy(struct snapshot *snapshot) {
    struct block *block = container_of(snapshot, struct block, snapshot);
    ++*block->gone;
    free(block);
}

static struct block *make(int *gone) {
    struct block *block = calloc(1, sizeof(*block));
    assert_non_null(block);
    block->settings = fake.settings;
    block->gone = gone;
    snapshot_init(&block->snapshot, &block->settings, destroy);
    return block;
}

static void replace_by(struct block *block) {
    struct retirement *retiring;
    char problem[SNAPSHOT_PROBLEM_MAX];
    assert_int_equal(snapshot_derive(&block->snapshot, problem), 0);
    assert_int_equal(snapshot_prepare(&fake.server, &retiring), 0);
    snapshot_replace(&fake.server, &block->snapshot, retiring);
}

static void run_mail(void) {
    struct task *task = mailbox_take(&fake.worker->mailbox);
    while (task) {
        struct task *next = task->next;
        task->run(fake.worker, task);
        task = next;
    }
}

static void test_replaced(void **state) {
    static char one[] = "https://one.example", two[] = "https://two.example";
    char *ones[] = {one}, *twos[] = {two};
    int gone[2] = {0};
    fake_server_init(&fake);
    fake.settings.cors_origin = (struct texts){.items = ones, .count = 1};
    fake_server_open(&fake);
    struct block *first = make(&gone[0]), *second = make(&gone[1]);
    first->settings.cors_origin = (struct texts){.items = twos, .count = 1};
    first->settings.window_bytes = 12345;
    replace_by(first);
    assert_ptr_equal(fake.server.settings, &first->settings);
    assert_true(bytes_is(fake.server.live->origins[0], two));
    assert_int_not_equal(fake.worker->hub.settings.window_bytes, 12345);
    replace_by(second);
    assert_int_equal(gone[0], 0); // the worker may still be in a callback that reads it
    run_mail();
    assert_int_equal(gone[0], 1);
    assert_int_equal(gone[1], 0);
    // It took in what is in force now, not what was when it was told.
    assert_int_equal(fake.worker->hub.settings.window_bytes, second->settings.window_bytes);
    fake_server_finish(&fake);
    assert_int_equal(gone[1], 1);
}

static void test_a_worker_that_has_ended(void **state) {
    int gone[2] = {0};
    fake_server_init(&fake);
    fake_server_open(&fake);
    replace_by(make(&gone[0]));
    replace_by(make(&gone[1]));
    fake_server_finish(&fake); // with its mail unread
    assert_int_equal(gone[0], 1);
    assert_int_equal(gone[1], 1);
}

static void test_what_cannot_be(void **state) {
    static char origin[] = "https://page.example/path", network[] = "10.0.0.0/99",
                file[] = "/nonexistent/token";
    char *origins[] = {origin}, *networks[] = {network};
    struct settings bad[3] = {
        {.cors_origin = {.items = origins, .count = 1}},
        {.trusted_proxies = {.items = networks, .count = 1}},
        {.admin_token_file = file},
    };
    static const char *const words[] = {"--cors-origin", "--trusted-proxies", "--admin-token-file"};
    for (size_t i = 0; i < 3; i++) {
        struct snapshot snapshot;
        char problem[SNAPSHOT_PROBLEM_MAX];
        snapshot_init(&snapshot, &bad[i], NULL);
        assert_int_equal(snapshot_derive(&snapshot, problem), ERR_INVALID);
        assert_non_null(strstr(problem, words[i]));
        snapshot_unref(&snapshot);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_a_worker_that_has_ended),
        cmocka_unit_test(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
