// The table of descriptors, as far as Linux lets one look at it (FDSize in /proc/self/status).
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/descriptors.h"

// 0 where nobody tells.
static unsigned long table_size(void) {
    char line[128];
    unsigned long size = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file)) {
        (void)sscanf(line, "FDSize: %lu", &size);
    }
    if (file) {
        fclose(file);
    }
    return size;
}

static int lowest_free(void) {
    int fd = open("/", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static void test_all_are_taken(void **state) {
    struct rlimit limit;
    uint64_t all = descriptors_raise();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(all == limit.rlim_cur && all == limit.rlim_max);
}

static void test_the_table_is_wide_and_nothing_stays_open(void **state) {
    int before = lowest_free();
    descriptors_widen(3000);
    assert_int_equal(lowest_free(), before);
    assert_true(table_size() == 0 || table_size() >= 3000);
}

static void test_no_more_than_the_limit(void **state) {
    int before = lowest_free();
    descriptors_widen(0);
    descriptors_widen(1);
    descriptors_widen(UINT64_MAX);
    assert_int_equal(lowest_free(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_taken),
        cmocka_unit_test(test_the_table_is_wide_and_nothing_stays_open),
        cmocka_unit_test(test_no_more_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
