// The file that makes ids rise across restarts: what is read is above what was written, and what is
// not such a file is neither believed nor damaged.
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "server/id_file.h"

enum { MARGIN_MS = 10000 };

static char dir[] = "/tmp/freshet-id-file-XXXXXX";
static char path[128], temporary[128];

static int setup(void **state) {
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/ids", dir);
    snprintf(temporary, sizeof(temporary), "%s/ids.new", dir);
    return 0;
}

static int teardown(void **state) {
    unlink(path);
    unlink(temporary);
    assert_int_equal(rmdir(dir), 0); // nothing else was left in it
    return 0;
}

static void put(const char *text, size_t len) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *text) {
    char got[64];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(got, 1, sizeof(got), file);
    fclose(file);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(got, text, len);
}

static void test_missing(void **state) {
    event_id floor = 1;
    assert_int_equal(id_file_read(path, &floor), 0);
    assert_true(floor == 0);
}

static void test_round_trip(void **state) {
    event_id ids[] = {id_from_ms(1), id_from_ms(1700000000000) + 17, id_from_ms(1) + 1048575};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        event_id floor;
        assert_int_equal(id_file_write(path, ids[i]), 0);
        assert_int_equal(id_file_read(path, &floor), 0);
        // What was given out after the last write is covered.
        assert_true(floor == ids[i] + id_from_ms(MARGIN_MS));
    }
    assert_int_equal(access(temporary, F_OK), -1);
    assert_holds("1-1048575\n");
}

static void test_written_by_hand(void **state) {
    event_id floor;
    put("5-3", 3); // an editor that writes no newline
    assert_int_equal(id_file_read(path, &floor), 0);
    assert_true(floor == id_from_ms(5 + MARGIN_MS) + 3);
}

static void assert_foreign(const char *text, size_t len) {
    event_id floor;
    put(text, len);
    assert_int_equal(id_file_read(path, &floor), ERR_INVALID);
}

static void test_foreign(void **state) {
    static const char *const foreign[] = {
        "",
        "\n",
        "hello\n",
        "5\n",
        "5-\n",
        "-5\n",
        "5-3\n\n",
        "5-3\r\n",
        " 5-3\n",
        "5-3 \n",
        "05-3\n",
        "5-3\n6-0\n",
        "+5-3\n",
        "5-3-1\n",
        "{\"id\":\"5-3\"}\n",
        "5-1048576\n",
        "17592186044416-0\n",
        "11111111111111111111111111111111111111111111111111-1\n",
    };
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        assert_foreign(foreign[i], strlen(foreign[i]));
    }
    assert_foreign("5-3\0", 4);
    assert_foreign("\0", 1);
}

// The margin must not carry an id over the end of time and around to 1970.
static void test_end_of_time(void **state) {
    event_id floor;
    assert_int_equal(id_file_write(path, UINT64_MAX - id_from_ms(MARGIN_MS)), 0);
    assert_int_equal(id_file_read(path, &floor), 0);
    assert_true(floor == UINT64_MAX);
    assert_foreign("17592186034416-0\n", 17);
    assert_foreign("17592186044415-1048575\n", 23);
}

// A whole id, then more than the buffer takes.
static void test_long(void **state) {
    char text[300];
    for (size_t len = 20; len <= sizeof(text); len++) {
        memset(text, '1', sizeof(text));
        text[12] = '-';
        assert_foreign(text, len);
    }
}

static void test_directory(void **state) {
    event_id floor;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(id_file_read(path, &floor) < 0);
    assert_int_equal(id_file_write(path, 1), ERR_SYSTEM);
    assert_int_equal(rmdir(path), 0);
}

// Not by permissions: tests may run as root, to whom they do not apply.
static void test_nowhere_to_write(void **state) {
    char below[160];
    event_id floor;
    snprintf(below, sizeof(below), "%s/no/ids", dir);
    assert_int_equal(id_file_write(below, 1), ERR_SYSTEM);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(id_file_read(below, &floor), 0); // as good as missing
    put("5-3\n", 4);
    snprintf(below, sizeof(below), "%s/x", path);
    assert_int_equal(id_file_write(below, 1), ERR_SYSTEM);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(id_file_read(below, &floor), ERR_SYSTEM);
    assert_int_equal(errno, ENOTDIR);
}

// The old file stays as it is until there is a whole new one.
static void test_a_failed_write_keeps_the_old(void **state) {
    assert_int_equal(id_file_write(path, id_from_ms(5)), 0);
    assert_int_equal(mkdir(temporary, 0700), 0);
    assert_int_equal(id_file_write(path, id_from_ms(6)), ERR_SYSTEM);
    assert_holds("5-0\n");
    assert_int_equal(rmdir(temporary), 0);
}

// A full disk is found before the old file is gone.
static void test_no_space(void **state) {
    if (access("/dev/full", W_OK)) {
        skip();
    }
    assert_int_equal(id_file_write(path, id_from_ms(5)), 0);
    assert_int_equal(symlink("/dev/full", temporary), 0);
    assert_int_equal(id_file_write(path, id_from_ms(6)), ERR_SYSTEM);
    assert_int_equal(errno, ENOSPC);
    assert_holds("5-0\n");
}

static void test_path_too_long(void **state) {
    static char name[5000];
    memset(name, 'x', sizeof(name) - 1);
    assert_int_equal(id_file_write(name, 1), ERR_SYSTEM);
    assert_int_equal(errno, ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_missing),   TEST(test_round_trip),       TEST(test_written_by_hand),
        TEST(test_foreign),   TEST(test_end_of_time),      TEST(test_long),
        TEST(test_directory), TEST(test_nowhere_to_write), TEST(test_a_failed_write_keeps_the_old),
        TEST(test_no_space),  TEST(test_path_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
