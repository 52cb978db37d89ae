// The tools on a file: reading beside a server, finding what is wrong, making it smaller.
#include "disk_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "history/disk_private.h"
#include "history/disk_tools.h"

static struct disk_reader *open_reader(void) {
    struct disk_reader *reader;
    if (disk_reader_open(&reader, &mem_libc, disk_place.path, disk_place.problem,
                         sizeof(disk_place.problem))) {
        fail_msg("%s", disk_place.problem);
    }
    return reader;
}

static void fill(struct fixture *f, event_id from, event_id to) {
    for (event_id id = from; id <= to; id++) {
        append_own(f, id, id % 3 ? "a" : "a b", id % 5 ? NULL : "mine");
    }
    fixture_settle(f);
}

static void all_is_read_in_order_beside_a_server(void **state) {
    struct fixture f;
    struct past_batch batch;
    struct disk_summary summary;
    uint64_t damaged = 0;
    disk_place_begin(&f, &AMPLE);
    fill(&f, 1, 700);
    struct disk_reader *reader = open_reader();
    event_id at = 0;
    for (;;) {
        assert_int_equal(disk_reader_next(reader, at, 1 << 20, &batch, &damaged), 0);
        if (batch.count == 0) {
            break;
        }
        for (size_t i = 0; i < batch.count; i++) {
            assert_int_equal(batch.frames[i]->id, ++at);
        }
        assert_int_equal(batch.reached, at);
        past_batch_release(&batch);
        if (at == 700) {
            fill(&f, 701, 1000); // the server goes on
        }
    }
    assert_int_equal(at, 1000);
    assert_int_equal(damaged, 0);
    assert_int_equal(disk_reader_next(reader, 0, 1, &batch, &damaged), 0);
    assert_int_equal(batch.count, 1); // at least one
    past_batch_release(&batch);
    assert_int_equal(disk_reader_summary(reader, &summary), 0);
    assert_int_equal(summary.events, 1000);
    assert_int_equal(summary.topics, 2);
    assert_int_equal(summary.oldest, 1);
    assert_int_equal(summary.newest, 1000);
    assert_int_equal(summary.stored, 1000);
    assert_false(summary.clean);
    assert_true(summary.used_bytes <= summary.file_bytes);
    disk_reader_close(&reader);
    assert_null(reader);
    fixture_finish(&f);
}

static void an_empty_place_has_no_history(void **state) {
    struct disk_reader *reader;
    disk_place_init();
    assert_int_equal(disk_reader_open(&reader, &mem_libc, disk_place.path, disk_place.problem,
                                      sizeof(disk_place.problem)),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(disk_place.problem, "no history"));
    disk_place_clean();
}

// Turns a bit in the last place of the file where these bytes are.
static void damage(const char *bytes, size_t at) {
    char name[400], block[1 << 16];
    size_t len = strlen(bytes);
    snprintf(name, sizeof(name), "%s/data.mdb", disk_place.path);
    int fd = open(name, O_RDWR);
    assert_true(fd >= 0);
    ssize_t size = pread(fd, block, sizeof(block), 0);
    off_t found = -1;
    for (ssize_t i = 0; i + (ssize_t)len <= size; i++) {
        found = memcmp(block + i, bytes, len) == 0 ? (off_t)i : found;
    }
    assert_true(found >= 0);
    block[0] = (char)(bytes[at] ^ 1);
    assert_int_equal(pwrite(fd, block, 1, found + (off_t)at), 1);
    close(fd);
}

struct found {
    size_t count;
    struct disk_finding first;
};

static void note(void *ctx, const struct disk_finding *finding) {
    struct found *found = ctx;
    found->first = found->count++ ? found->first : *finding;
}

static void a_changed_byte_is_found(void **state) {
    struct fixture f;
    struct disk_check check;
    struct past_batch batch;
    struct found found = {0};
    struct disk_watch watch = {.found = note, .ctx = &found};
    uint64_t damaged = 0;
    disk_place_begin(&f, &AMPLE);
    append_own(&f, 1, "a", "unmistakable");
    disk_place_close(&f);
    damage("id: unmistakable", 5);
    struct disk_reader *reader = open_reader();
    assert_int_equal(disk_reader_check(reader, &check, &watch), 0);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.first.fault, DISK_FAULT_RECORD);
    assert_int_equal(found.first.id, 1);
    assert_int_equal(disk_reader_next(reader, 0, 1 << 20, &batch, &damaged), 0);
    assert_int_equal(batch.count, 0);
    assert_int_equal(damaged, 1);
    assert_int_equal(check.events, 1);
    assert_int_equal(check.damaged, 1);
    assert_int_equal(check.own_ids, 1);
    disk_reader_close(&reader);
    disk_place_clean();
}

// A record that cannot be read is passed over, and whoever wanted it is told.
static void damage_is_a_gap(void **state) {
    struct fixture f;
    disk_place_begin(&f, &AMPLE);
    append_event(&f, 1, "a");
    append_sized(&f, 2, "a", 77);
    append_event(&f, 3, "a");
    disk_place_close(&f);
    damage("data: xxxxxxxxxxxx", 0); // of the newest page, the second event's
    disk_place_begin(&f, &AMPLE);
    assert_int_equal(assert_reads(&f, "a", 0, 9, "1 3"), 2);
    struct disk_counters counters;
    history_disk_counters(f.history, &counters);
    assert_true(counters.damaged > 0);
    disk_place_close(&f);
    disk_place_clean();
}

static bool stop(void *ctx, uint64_t done, uint64_t all) {
    assert_true(done <= all);
    ++*(int *)ctx;
    return false;
}

static void a_check_can_be_ended(void **state) {
    struct fixture f;
    struct disk_check check;
    int calls = 0;
    struct disk_watch watch = {.progress = stop, .ctx = &calls};
    disk_place_begin(&f, &AMPLE);
    fill(&f, 1, 6000);
    struct disk_reader *reader = open_reader();
    assert_int_equal(disk_reader_check(reader, &check, &watch), ERR_GONE);
    assert_int_equal(calls, 1);
    disk_reader_close(&reader);
    fixture_finish(&f);
}

static void a_compaction_can_be_ended(void **state) {
    struct fixture f;
    struct stat old, new;
    uint64_t before, after;
    int calls = 0;
    struct disk_watch watch = {.progress = stop, .ctx = &calls};
    char name[400];
    disk_place_begin(&f, &AMPLE);
    fill(&f, 1, 6000);
    disk_place_close(&f);
    snprintf(name, sizeof(name), "%s/data.mdb", disk_place.path);
    assert_int_equal(stat(name, &old), 0);
    assert_int_equal(disk_compact(disk_place.path, &before, &after, &watch, disk_place.problem,
                                  sizeof(disk_place.problem)),
                     ERR_GONE);
    assert_int_equal(calls, 1);
    assert_int_equal(stat(name, &new), 0);
    assert_true(old.st_ino == new.st_ino &&old.st_size == new.st_size);
    snprintf(name, sizeof(name), "%s/data.mdb.new", disk_place.path);
    assert_int_equal(stat(name, &new), -1);
    disk_place_clean();
}

static void compacting_makes_it_smaller(void **state) {
    struct fixture f;
    struct stat status;
    uint64_t before, after;
    struct history_limits few = {.topic.count = 100, .bytes = 1 << 30};
    char name[400];
    disk_place_begin(&f, &AMPLE);
    for (event_id id = 1; id <= 5000; id++) {
        append_sized(&f, id, "a", 1000);
    }
    disk_place_close(&f);
    disk_place_begin(&f, &few);
    assert_int_equal(stats_of(&f).events, 100);
    assert_int_equal(disk_compact(disk_place.path, &before, &after, NULL, disk_place.problem,
                                  sizeof(disk_place.problem)),
                     ERR_SYSTEM);
    assert_non_null(strstr(disk_place.problem, "in use")); // not beside a server
    disk_place_close(&f);
    if (disk_compact(disk_place.path, &before, &after, NULL, disk_place.problem,
                     sizeof(disk_place.problem))) {
        fail_msg("%s", disk_place.problem);
    }
    assert_true(before > 5000000 && after < 500000);
    snprintf(name, sizeof(name), "%s/data.mdb", disk_place.path);
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_size, after);
    assert_int_equal(status.st_mode & 0777, 0600);
    disk_place_begin(&f, &few);
    assert_int_equal(assert_reads(&f, "a", 4998, 5000, "4999 5000"), 4900);
    append_event(&f, 5001, "a");
    assert_int_equal(stats_of(&f).events, 100);
    fixture_finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_read_in_order_beside_a_server),
        cmocka_unit_test(an_empty_place_has_no_history),
        cmocka_unit_test(a_changed_byte_is_found),
        cmocka_unit_test(damage_is_a_gap),
        cmocka_unit_test(a_check_can_be_ended),
        cmocka_unit_test(a_compaction_can_be_ended),
        cmocka_unit_test(compacting_makes_it_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
