// Temporary directories, and opening with the settings of the test.
#include "disk_place.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "history/disk_private.h"
#include "history/disk_tools.h"

struct disk_place disk_place;

static int64_t now_ms(void *ctx) {
    (void)ctx;
    return disk_place.now;
}

void disk_place_init(void) {
    const char *tmp = getenv("TMPDIR");
    if (*disk_place.path) {
        return;
    }
    disk_place = (struct disk_place){0};
    snprintf(disk_place.path, sizeof(disk_place.path), "%s/freshet-disk-XXXXXX",
             tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(disk_place.path));
    disk_place.settings = (struct disk_settings){
        .path = disk_place.path, .queue_bytes = 64 << 20, .commit_ms = 1, .now_ms = now_ms};
}

int disk_place_open(struct fixture *fixture, const struct history_limits *limits) {
    disk_place_init();
    return history_disk_open(&fixture->history, &fixture->mem.mem, &fixture->key, limits,
                             &disk_place.settings, &disk_place.newest, disk_place.problem,
                             sizeof(disk_place.problem));
}

void disk_place_begin(struct fixture *fixture, const struct history_limits *limits) {
    test_mem_init(&fixture->mem);
    test_mem_init(&fixture->frames);
    fixture->key = (struct hash_key){.k0 = 1, .k1 = 2};
    fixture->backend = &DISK;
    if (disk_place_open(fixture, limits)) {
        fail_msg("%s", disk_place.problem);
    }
}

void disk_place_close(struct fixture *fixture) {
    history_destroy(&fixture->history);
    test_mem_finish(&fixture->mem);
    test_mem_finish(&fixture->frames);
}

static void assert_sound(void) {
    struct disk_reader *reader;
    struct disk_check check;
    char problem[512];
    assert_int_equal(
        disk_reader_open(&reader, &mem_libc, disk_place.path, problem, sizeof(problem)), 0);
    assert_int_equal(disk_reader_check(reader, &check, NULL), 0);
    assert_int_equal(check.damaged, 0);
    assert_int_equal(check.missing, 0);
    assert_int_equal(check.miscounted, 0);
    assert_int_equal(check.not_indexed, 0);
    assert_int_equal(check.own_ids, 0);
    disk_reader_close(&reader);
}

void disk_place_await(const struct fixture *f, enum history_state wanted) {
    int64_t deadline = clock_mono_ms() + 60000;
    while (f->history->state(f->history) != wanted && clock_mono_ms() < deadline) {
        sched_yield();
    }
    assert_int_equal(f->history->state(f->history), wanted);
}

void disk_place_limit_files(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void disk_place_clean(void) {
    DIR *dir = opendir(disk_place.path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char name[600];
        snprintf(name, sizeof(name), "%s/%s", disk_place.path, entry->d_name);
        (void)unlink(name);
    }
    if (dir) {
        closedir(dir);
        assert_int_equal(rmdir(disk_place.path), 0);
    }
    *disk_place.path = '\0';
}

static int create(struct history **out, const struct mem *mem, const struct hash_key *key,
                  const struct history_limits *limits) {
    struct hash_key own = *key;
    disk_place_init();
    int rc = history_disk_open(out, mem, &own, limits, &disk_place.settings, &disk_place.newest,
                               disk_place.problem, sizeof(disk_place.problem));
    if (rc) {
        print_message("%s\n", disk_place.problem);
    }
    return rc;
}

static void settle(struct history *history) {
    disk_settle(disk_of(history));
}

// Whatever a test did, the tables agree with each other in the end.
static void check_and_clean(void) {
    assert_sound();
    disk_place_clean();
}

const struct backend DISK = {.name = "disk",
                             .create = create,
                             .settle = settle,
                             .clean = check_and_clean,
                             .least_bytes = DISK_BYTES_MIN};
