// Opening a history on disk: what is refused, with a sentence and without touching it, and what is
// found after an end that was none.
#include "disk_place.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "history/disk_private.h"
#include "history/disk_tools.h"

struct contents {
    char *at;
    size_t size;
};

static void name_of_file(char *name, size_t size) {
    snprintf(name, size, "%s/data.mdb", disk_place.path);
}

static struct contents read_file(void) {
    char name[400];
    struct contents contents = {0};
    name_of_file(name, sizeof(name));
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    contents.size = (size_t)ftell(file);
    rewind(file);
    contents.at = malloc(contents.size + 1);
    assert_non_null(contents.at);
    assert_int_equal(fread(contents.at, 1, contents.size, file), contents.size);
    fclose(file);
    return contents;
}

static void write_file(const void *at, size_t size) {
    char name[400];
    name_of_file(name, sizeof(name));
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(at, 1, size, file), size);
    fclose(file);
}

// Refused with a sentence that has `word` in it, and the file is what it was.
static void assert_refuses(const char *word) {
    struct fixture f;
    struct contents before = read_file();
    test_mem_init(&f.mem);
    f.key = (struct hash_key){.k0 = 5, .k1 = 6};
    assert_int_equal(disk_place_open(&f, &AMPLE), ERR_INVALID);
    assert_non_null(strstr(disk_place.problem, word));
    assert_non_null(strstr(disk_place.problem, disk_place.path));
    test_mem_finish(&f.mem);
    struct contents after = read_file();
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.at, after.at, before.size);
    free(before.at);
    free(after.at);
}

static void begin_empty(void) {
    disk_place_init();
    assert_int_equal(mkdir(disk_place.path, 0700) == 0 || access(disk_place.path, F_OK) == 0, 1);
}

static void fill(int events) {
    struct fixture f;
    disk_place_begin(&f, &AMPLE);
    for (event_id id = 1; id <= (event_id)events; id++) {
        append_sized(&f, id, "a", 1000);
    }
    disk_place_close(&f);
}

static void what_is_not_a_history_is_refused(void **state) {
    static char text[20000];
    begin_empty();
    write_file("hello\n", 6);
    assert_refuses("another format");
    memset(text, 'x', sizeof(text));
    write_file(text, sizeof(text));
    assert_refuses("another format");
    disk_place_clean();
}

static void a_file_cut_short_is_refused(void **state) {
    char name[400];
    begin_empty();
    fill(500);
    name_of_file(name, sizeof(name));
    struct contents whole = read_file();
    assert_true(whole.size > 500000);
    assert_int_equal(truncate(name, 300000), 0);
    assert_refuses("cut short");
    assert_int_equal(truncate(name, 5000), 0);
    assert_refuses("cut short");
    assert_int_equal(truncate(name, 100), 0);
    assert_refuses("");
    free(whole.at);
    disk_place_clean();
}

static void a_damaged_head_is_refused(void **state) {
    begin_empty();
    fill(5);
    struct contents file = read_file();
    file.at[4096 + 17] ^= 1; // the second page's magic
    write_file(file.at, file.size);
    assert_refuses("damaged");
    file.at[4096 + 17] ^= 1;
    file.at[20] ^= 1; // the first page's version
    write_file(file.at, file.size);
    assert_refuses("version of LMDB");
    free(file.at);
    disk_place_clean();
}

// Writes into the file as another program would.
static void put_foreign(const char *table, const char *key, const void *at, size_t size) {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val name = disk_val(key, strlen(key)), value = disk_val(at, size);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
    assert_int_equal(mdb_env_open(env, disk_place.path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &name, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void another_programs_lmdb_is_refused(void **state) {
    begin_empty();
    put_foreign("theirs", "k", "v", 1);
    assert_refuses("not a history");
    disk_place_clean();
}

static void a_newer_format_is_refused(void **state) {
    unsigned char bytes[64];
    begin_empty();
    fill(5);
    disk_put_number(bytes, UINT64_C(0x6672657368657421));
    disk_put_number(bytes + 8, DISK_FORMAT + 1);
    put_foreign("meta", "state", bytes, sizeof(bytes));
    assert_refuses("newer");
    disk_place_clean();
}

// A file as the first format left it: no tables of keys, no floors of types.
static void make_old(void) {
    struct disk_file file;
    struct disk_problem problem = {.text = disk_place.problem, .size = sizeof(disk_place.problem)};
    unsigned char bytes[64 * DISK_KEY], piece[DISK_KEY];
    MDB_txn *txn;
    MDB_val key = disk_val("state", 5), value;
    assert_int_equal(disk_file_open(&file, disk_place.path, DISK_BYTES_MIN, &problem), 0);
    assert_int_equal(mdb_txn_begin(file.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_get(txn, file.meta, &key, &value), 0);
    assert_true(value.mv_size <= sizeof(bytes));
    memcpy(bytes, value.mv_data, value.mv_size);
    disk_put_number(bytes + DISK_KEY, DISK_FORMAT_OLDEST);
    value.mv_data = bytes;
    assert_int_equal(mdb_put(txn, file.meta, &key, &value, 0), 0);
    for (uint64_t i = DISK_FLOORS_ALL + 1; i < DISK_FLOORS_PIECES; i++) {
        disk_put_number(piece, i);
        key = disk_val(piece, DISK_KEY);
        (void)mdb_del(txn, file.floors, &key, NULL);
    }
    assert_int_equal(mdb_drop(txn, file.keys, 1), 0);
    assert_int_equal(mdb_drop(txn, file.values, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    disk_file_close(&file);
}

static void an_older_format_is_taken_over(void **state) {
    struct history_limits few = {.topic.count = 3, .bytes = 1 << 30};
    struct disk_reader *reader;
    struct disk_check check;
    struct fixture f;
    disk_place_begin(&f, &few);
    for (event_id id = 1; id <= 10; id++) {
        append_event(&f, id, "a ~x");
    }
    assert_int_equal(floor_of(&f, "a ~y"), 0);
    disk_place_close(&f);
    make_old();
    // The tools read it as it is.
    assert_int_equal(disk_reader_open(&reader, &mem_libc, disk_place.path, disk_place.problem,
                                      sizeof(disk_place.problem)),
                     0);
    assert_int_equal(disk_reader_check(reader, &check, NULL), 0);
    assert_int_equal(check.events, 3);
    assert_int_equal(check.damaged + check.keys + check.not_indexed, 0);
    disk_reader_close(&reader);
    disk_place_begin(&f, &few);
    assert_int_equal(floor_of(&f, "a ~y"), 7); // it does not know of which types those were
    assert_int_equal(floor_of(&f, "a +"), 7);
    append_event(&f, 11, "a ^k");
    assert_reads(&f, "a", 0, 99, "9 10 11");
    assert_values(&f, "a +", 0, 99, "11");
    disk_place_close(&f);
    disk_place_begin(&f, &few);
    assert_int_equal(floor_of(&f, "a ~y"), 7);
    assert_values(&f, "a +", 0, 99, "11");
    fixture_finish(&f);
}

// What tells that some events are not for everyone is in the file.
static void private_events_stay_private(void **state) {
    struct history_limits few = {.topic.count = 2, .bytes = 1 << 30};
    struct fixture f;
    disk_place_begin(&f, &few);
    append_own(&f, 1, "a !", "mine");
    append_event(&f, 2, "a ^k");
    append_own(&f, 3, "a ^k !", "mine");
    disk_place_close(&f);
    disk_place_begin(&f, &few);
    assert_reads(&f, "a", 0, 9, "2");
    assert_reads(&f, "a !", 0, 9, "2 3");
    assert_values(&f, "a +", 0, 9, "2");
    assert_int_equal(floor_of(&f, "a"), 0);
    assert_int_equal(floor_of(&f, "a !"), 1);
    assert_int_equal(last_of(&f, "a", 1, 9), 1);
    assert_int_equal(last_of(&f, "a !", 1, 9), 2);
    assert_int_equal(find_own(&f, "a", "mine"), 0);
    assert_int_equal(find_own(&f, "* !", "mine"), 3);
    fixture_finish(&f);
}

static void a_second_server_is_refused(void **state) {
    struct fixture f, second;
    char pid[32];
    disk_place_begin(&f, &AMPLE);
    test_mem_init(&second.mem);
    second.key = f.key;
    assert_int_equal(disk_place_open(&second, &AMPLE), ERR_SYSTEM);
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_non_null(strstr(disk_place.problem, pid));
    test_mem_finish(&second.mem);
    append_event(&f, 1, "a"); // the first goes on
    assert_reads(&f, "a", 0, 9, "1");
    fixture_finish(&f);
}

static void files_are_private(void **state) {
    struct fixture f;
    struct stat status;
    char name[400];
    mode_t before = umask(0);
    disk_place_init();
    assert_int_equal(rmdir(disk_place.path), 0);
    disk_place_begin(&f, &AMPLE);
    assert_int_equal(stat(disk_place.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    name_of_file(name, sizeof(name));
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    umask(before);
    fixture_finish(&f);
}

static void a_place_that_cannot_be_is_refused(void **state) {
    struct fixture f;
    disk_place_init();
    test_mem_init(&f.mem);
    f.key = (struct hash_key){0};
    disk_place.settings.path = "/dev/null/history";
    assert_int_equal(disk_place_open(&f, &AMPLE), ERR_SYSTEM);
    assert_non_null(strstr(disk_place.problem, "/dev/null/history"));
    disk_place.settings.path = "/dev/null";
    assert_int_equal(disk_place_open(&f, &AMPLE), ERR_INVALID);
    test_mem_finish(&f.mem);
    disk_place_clean();
}

static void the_key_stays(void **state) {
    struct fixture f;
    disk_place_begin(&f, &AMPLE);
    append_event(&f, 1, "a");
    disk_place_close(&f);
    test_mem_init(&f.mem);
    test_mem_init(&f.frames);
    f.key = (struct hash_key){.k0 = 77, .k1 = 88}; // another process's
    assert_int_equal(disk_place_open(&f, &AMPLE), 0);
    assert_int_equal(f.key.k0, 1);
    assert_int_equal(f.key.k1, 2);
    assert_reads(&f, "a", 0, 9, "1");
    fixture_finish(&f);
}

// In a process that ends in the middle: `stored` events are committed, `more` only appended.
static void crash(bool relaxed, event_id first, int stored, int more) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct fixture f;
        disk_place.settings.relaxed = relaxed;
        disk_place.settings.commit_ms = 3600000;
        disk_place_begin(&f, &AMPLE);
        fixture_settle(&f); // what it does at the start would take along what is appended meanwhile
        for (int i = 0; i < stored; i++) {
            append_event(&f, first++, "a");
        }
        while (stored && f.history->stored(f.history) < first - 1) {
            if (relaxed) {
                _exit(3); // would wait for an hour
            }
        }
        for (int i = 0; i < more; i++) {
            append_event(&f, first++, "a");
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void ids_go_on_above_all_that_were_given_out(void **state) {
    struct fixture f;
    disk_place_init();
    disk_place.now = 1000;
    crash(false, id_from_ms(1000), 10, 0);
    disk_place.now = 10; // the clock went back
    disk_place_begin(&f, &AMPLE);
    assert_true(disk_place.newest >= id_from_ms(1000 + 60000));
    assert_int_equal(stats_of(&f).events, 10);
    assert_int_equal(floor_of(&f, "a"), 0);
    // Who acknowledged nothing has lost nothing: there is no gap.
    assert_int_equal(f.history->past.read != NULL, 1);
    assert_false(f.history->lost(f.history, id_from_ms(1000) + 50));
    disk_place_close(&f);
    disk_place_begin(&f, &AMPLE); // in order this time: exactly there
    assert_true(disk_place.newest >= id_from_ms(1000 + 60000));
    fixture_finish(&f);
}

static event_id read_once(struct fixture *f, event_id after, event_id upto, event_id *floor) {
    struct selection *selection = select_names(f, "a");
    struct past_batch batch;
    assert_int_equal(
        f->history->past.read(&f->history->past, selection, after, upto, SIZE_MAX, &batch), 0);
    *floor = batch.floor;
    past_batch_release(&batch);
    selection_destroy(&selection);
    return batch.reached;
}

static void a_relaxed_end_leaves_a_hole(void **state) {
    struct fixture f;
    event_id floor;
    disk_place_init();
    crash(false, 1, 10, 0);
    disk_place_begin(&f, &AMPLE);
    event_id origin = disk_place.newest;
    disk_place_close(&f);
    crash(true, origin + 1, 0, 5); // acknowledged, not stored
    disk_place_begin(&f, &AMPLE);
    event_id newest = disk_place.newest;
    assert_true(newest > origin + 5);
    append_event(&f, newest + 1, "a");
    fixture_settle(&f);
    // A reader comes to the hole, and is told of it only when it goes on.
    assert_int_equal(read_once(&f, 0, newest + 9, &floor), origin);
    assert_int_equal(floor, 0);
    assert_int_equal(read_once(&f, origin, newest + 9, &floor), newest + 9);
    assert_int_equal(floor, newest);
    assert_int_equal(read_once(&f, origin + 3, newest + 9, &floor), newest + 9);
    assert_int_equal(floor, newest);
    assert_int_equal(read_once(&f, newest, newest + 9, &floor), newest + 9);
    assert_int_equal(floor, 0);
    assert_true(f.history->lost(f.history, origin + 2));
    disk_place_close(&f);
    disk_place_begin(&f, &AMPLE); // it stays
    assert_int_equal(read_once(&f, origin, newest + 9, &floor), newest + 9);
    assert_int_equal(floor, newest);
    fixture_finish(&f);
}

// Killed at any moment, what was stored is there, whole and in order.
static void killed_while_it_writes(void **state) {
    enum { ROUNDS = 12 };
    event_id stored = 0, first = 1;
    disk_place_init();
    for (int round = 0; round < ROUNDS; round++) {
        int told[2];
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) {
            struct fixture f;
            close(told[0]);
            disk_place_begin(&f, &AMPLE);
            for (event_id id = first;; id++) {
                append_event(&f, id, "a");
                event_id safe = f.history->stored(f.history);
                if (id % 16 == 0 && write(told[1], &safe, sizeof(safe)) < 0) {
                    _exit(1);
                }
            }
        }
        close(told[1]);
        for (int i = 0; i < 50 * (round + 1); i++) {
            assert_int_equal(read(told[0], &stored, sizeof(stored)), sizeof(stored));
        }
        kill(child, SIGKILL);
        while (read(told[0], &stored, sizeof(stored)) == sizeof(stored)) {
        }
        close(told[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        struct fixture f;
        disk_place_begin(&f, &AMPLE);
        assert_true(disk_place.newest >= stored);
        struct history_topic topic = {.newest = 0};
        struct topic_name name = name_of(&f, "a");
        (void)f.history->topic(f.history, &name, &topic);
        // Rounds leave what they did not store as no events at all; what they stored is complete.
        assert_true(stored < first || topic.newest >= stored);
        struct selection *selection = select_names(&f, "a");
        struct past_batch batch;
        event_id after = first - 1;
        while (after < topic.newest) {
            assert_int_equal(f.history->past.read(&f.history->past, selection, after, topic.newest,
                                                  SIZE_MAX, &batch),
                             0);
            for (size_t i = 0; i < batch.count; i++) {
                assert_int_equal(batch.frames[i]->id, after + 1 + i);
            }
            after = batch.reached;
            past_batch_release(&batch);
        }
        selection_destroy(&selection);
        first = disk_place.newest + 1;
        disk_place_close(&f);
    }
    disk_place_clean();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_a_history_is_refused),
        cmocka_unit_test(a_file_cut_short_is_refused),
        cmocka_unit_test(a_damaged_head_is_refused),
        cmocka_unit_test(another_programs_lmdb_is_refused),
        cmocka_unit_test(a_newer_format_is_refused),
        cmocka_unit_test(an_older_format_is_taken_over),
        cmocka_unit_test(private_events_stay_private),
        cmocka_unit_test(a_second_server_is_refused),
        cmocka_unit_test(files_are_private),
        cmocka_unit_test(a_place_that_cannot_be_is_refused),
        cmocka_unit_test(the_key_stays),
        cmocka_unit_test(ids_go_on_above_all_that_were_given_out),
        cmocka_unit_test(a_relaxed_end_leaves_a_hole),
        cmocka_unit_test(killed_while_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
