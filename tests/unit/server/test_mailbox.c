// Mailboxes: order, and that nothing is lost or run twice when threads post at once.
#include "support.h"

#include <sched.h>
#include <stdlib.h>

#include "base/list.h"
#include "server/mailbox.h"

enum { THREADS = 3, POSTS = 20000 };

struct note {
    struct task task;
    int from, number;
};

static struct mailbox mailbox;

static int setup(void **state) {
    return mailbox_init(&mailbox);
}

static int teardown(void **state) {
    mailbox_finish(&mailbox);
    return 0;
}

static void test_empty(void **state) {
    assert_null(mailbox_take(&mailbox));
    assert_null(mailbox_take(&mailbox));
}

static void test_order(void **state) {
    struct task tasks[3];
    for (int i = 0; i < 3; i++) {
        mailbox_post(&mailbox, &tasks[i]);
    }
    struct task *first = mailbox_take(&mailbox);
    assert_ptr_equal(first, &tasks[0]);
    assert_ptr_equal(first->next, &tasks[1]);
    assert_ptr_equal(first->next->next, &tasks[2]);
    assert_null(tasks[2].next);
    assert_null(mailbox_take(&mailbox));
}

// A task that was taken may be posted again at once, and what follows it is not lost.
static void test_posted_again(void **state) {
    struct task a, b;
    mailbox_post(&mailbox, &a);
    mailbox_post(&mailbox, &b);
    struct task *first = mailbox_take(&mailbox), *second = first->next;
    mailbox_post(&mailbox, first);
    assert_ptr_equal(second, &b);
    assert_ptr_equal(mailbox_take(&mailbox), &a);
    assert_null(a.next);
}

static void *post_all(void *arg) {
    for (int i = 0; i < POSTS; i++) {
        struct note *note = calloc(1, sizeof(*note));
        if (!note) {
            abort();
        }
        note->from = *(int *)arg;
        note->number = i;
        mailbox_post(&mailbox, &note->task);
    }
    return NULL;
}

static size_t read_some(int next[THREADS]) {
    size_t count = 0;
    for (struct task *task = mailbox_take(&mailbox); task; count++) {
        struct note *note = container_of(task, struct note, task);
        task = task->next;
        assert_int_equal(note->number, next[note->from]++);
        free(note);
    }
    return count;
}

static void test_threads(void **state) {
    pthread_t threads[THREADS];
    int names[THREADS], next[THREADS] = {0};
    size_t got = 0;
    for (int i = 0; i < THREADS; i++) {
        names[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &names[i]), 0);
    }
    while (got < (size_t)THREADS * POSTS) {
        got += read_some(next);
        sched_yield();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_null(mailbox_take(&mailbox));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_order),
        TEST(test_posted_again),
        TEST(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
