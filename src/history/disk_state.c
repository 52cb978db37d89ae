// Numbers of eight bytes, big-endian, one behind the other: magic, format, flags, key, newest,
// ceiling, next topic, then two for each hole.
#include "history/disk_state.h"

#include <string.h>

enum {
    MAGIC_AT,
    FORMAT_AT,
    FLAGS_AT,
    KEY_AT,
    NEWEST_AT = KEY_AT + 2,
    CEILING_AT,
    NEXT_TOPIC_AT,
    HOLES_AT,
    NUMBERS_MAX = HOLES_AT + 2 * DISK_HOLES_MAX,
    FLAG_CLEAN = 1,
    FLAG_RELAXED = 2,
    FLAG_PRIVATES = 4,
};

static const uint64_t MAGIC = UINT64_C(0x6672657368657421); // "freshet!"

static MDB_val key_of_state(void) {
    return disk_val("state", strlen("state"));
}

static uint64_t number_at(const MDB_val *value, size_t place) {
    return disk_get_number((const char *)value->mv_data + place * DISK_KEY);
}

static int find(const struct disk_file *file, MDB_txn *txn, MDB_val *value) {
    MDB_val key = key_of_state();
    int rc = mdb_get(txn, file->meta, &key, value);
    if (rc) {
        return rc;
    }
    if (value->mv_size < 2 * DISK_KEY || number_at(value, MAGIC_AT) != MAGIC) {
        return MDB_INVALID;
    }
    if (number_at(value, FORMAT_AT) > DISK_FORMAT) {
        return MDB_VERSION_MISMATCH;
    }
    if (number_at(value, FORMAT_AT) < DISK_FORMAT_OLDEST) {
        return MDB_INVALID;
    }
    size_t numbers = value->mv_size / DISK_KEY;
    bool whole = value->mv_size % DISK_KEY == 0 && numbers >= HOLES_AT && numbers <= NUMBERS_MAX &&
                 (numbers - HOLES_AT) % 2 == 0;
    return whole ? 0 : MDB_INVALID;
}

int disk_state_newest(const struct disk_file *file, MDB_txn *txn, event_id *newest) {
    MDB_val value;
    int rc = find(file, txn, &value);
    *newest = rc ? 0 : number_at(&value, NEWEST_AT);
    return rc;
}

int disk_state_read(const struct disk_file *file, MDB_txn *txn, struct disk_state *state) {
    MDB_val value;
    *state = (struct disk_state){0};
    int rc = find(file, txn, &value);
    if (rc) {
        return rc;
    }
    state->format = number_at(&value, FORMAT_AT);
    state->clean = number_at(&value, FLAGS_AT) & FLAG_CLEAN;
    state->relaxed = number_at(&value, FLAGS_AT) & FLAG_RELAXED;
    state->privates = number_at(&value, FLAGS_AT) & FLAG_PRIVATES;
    state->key.k0 = number_at(&value, KEY_AT);
    state->key.k1 = number_at(&value, KEY_AT + 1);
    state->newest = number_at(&value, NEWEST_AT);
    state->ceiling = number_at(&value, CEILING_AT);
    state->next_topic = number_at(&value, NEXT_TOPIC_AT);
    state->holes.count = (uint32_t)(value.mv_size / DISK_KEY - HOLES_AT) / 2;
    for (uint32_t i = 0; i < state->holes.count; i++) {
        state->holes.at[i].from = number_at(&value, HOLES_AT + 2 * i);
        state->holes.at[i].to = number_at(&value, HOLES_AT + 2 * i + 1);
    }
    return 0;
}

int disk_state_write(const struct disk_file *file, MDB_txn *txn, const struct disk_state *state) {
    unsigned char bytes[NUMBERS_MAX * DISK_KEY];
    uint64_t numbers[NUMBERS_MAX] = {
        [MAGIC_AT] = MAGIC,
        [FORMAT_AT] = DISK_FORMAT,
        [FLAGS_AT] = (state->clean ? FLAG_CLEAN : 0) | (state->relaxed ? FLAG_RELAXED : 0) |
                     (state->privates ? FLAG_PRIVATES : 0),
        [KEY_AT] = state->key.k0,
        [KEY_AT + 1] = state->key.k1,
        [NEWEST_AT] = state->newest,
        [CEILING_AT] = state->ceiling,
        [NEXT_TOPIC_AT] = state->next_topic,
    };
    size_t count = HOLES_AT + 2 * state->holes.count;
    for (uint32_t i = 0; i < state->holes.count; i++) {
        numbers[HOLES_AT + 2 * i] = state->holes.at[i].from;
        numbers[HOLES_AT + 2 * i + 1] = state->holes.at[i].to;
    }
    for (size_t i = 0; i < count; i++) {
        disk_put_number(bytes + i * DISK_KEY, numbers[i]);
    }
    MDB_val key = key_of_state(), value = disk_val(bytes, count * DISK_KEY);
    return mdb_put(txn, file->meta, &key, &value, 0);
}
