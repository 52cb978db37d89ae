// The intrusive list.
#include "support.h"

#include "base/list.h"

static struct list head, other, nodes[6];

static int setup(void **state) {
    list_init(&head);
    list_init(&other);
    for (int i = 0; i < 6; i++) {
        list_init(&nodes[i]);
    }
    return 0;
}

// The list is exactly these nodes, both ways.
static void assert_list(struct list *list, const char *want) {
    struct list *at = list->next;
    for (const char *c = want; *c; c++, at = at->next) {
        assert_ptr_equal(at, &nodes[*c - '0']);
        assert_ptr_equal(at->prev->next, at);
        assert_ptr_equal(at->next->prev, at);
    }
    assert_ptr_equal(at, list);
}

static void test_push_and_pop(void **state) {
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    list_push_back(&head, &nodes[1]);
    list_push_back(&head, &nodes[2]);
    list_push_front(&head, &nodes[0]);
    assert_list(&head, "012");
    list_insert_before(&nodes[2], &nodes[3]);
    assert_list(&head, "0132");
    assert_ptr_equal(list_pop_front(&head), &nodes[0]);
    assert_list(&head, "132");
}

static void test_remove_is_harmless_twice(void **state) {
    list_push_back(&head, &nodes[0]);
    list_push_back(&head, &nodes[1]);
    list_remove(&nodes[0]);
    list_remove(&nodes[0]);
    list_remove(&nodes[5]);
    assert_list(&head, "1");
}

static void test_move_all(void **state) {
    list_move_all(&head, &other);
    assert_true(list_empty(&head));
    list_push_back(&other, &nodes[2]);
    list_push_back(&other, &nodes[3]);
    list_move_all(&head, &other);
    assert_list(&head, "23");
    assert_true(list_empty(&other));
    list_push_back(&other, &nodes[4]);
    list_move_all(&head, &other);
    assert_list(&head, "234");
    list_move_all(&head, &other);
    assert_list(&head, "234");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_push_and_pop, setup),
        cmocka_unit_test_setup(test_remove_is_harmless_twice, setup),
        cmocka_unit_test_setup(test_move_all, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
