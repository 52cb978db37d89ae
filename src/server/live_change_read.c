// Reading what a listener wants changed. Every name passes the check that a subscribe's names pass,
// and each list has the limit of a subscribe.
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "server/live_change.h"
#include "server/wish.h"
#include "server/worker.h"

enum member { ADD, REMOVE, AFTER, MEMBER_COUNT };

static const char *const member_names[MEMBER_COUNT] = {"add", "remove", "after"};

struct reading {
    struct live_change *change;
    const struct server *server;
    struct buf text; // holds what the names point to; it has all its room from the start
    struct bytes *names;
    size_t count, room;
    bool seen[MEMBER_COUNT];
};

static int refuse(struct reading *r, const char *problem) {
    r->change->status = 400;
    snprintf(r->change->problem, sizeof(r->change->problem), "%s", problem);
    return ERR_INVALID;
}

static int refuse_many(struct reading *r) {
    live_change_too_many(r->change, r->server);
    return ERR_INVALID;
}

static int add_name(struct reading *r, struct bytes name) {
    const char *problem = wish_topic_problem(name);
    if (problem) {
        return refuse(r, problem);
    }
    if (r->count == r->server->settings->max_topics) {
        return refuse_many(r);
    }
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        struct bytes *names = realloc(r->names, room * sizeof(*names));
        if (!names) {
            return ERR_NOMEM;
        }
        r->names = names;
        r->room = room;
    }
    r->names[r->count++] = name;
    return 0;
}

static int read_name(struct reading *r, struct bytes value) {
    size_t before = r->text.len;
    if (json_kind(value) != JSON_STRING) {
        return refuse(r, "topics are strings: {\"add\":[\"news\"]}");
    }
    int rc = json_string_decode(value, &r->text);
    return rc ? rc : add_name(r, bytes_make(r->text.at + before, r->text.len - before));
}

static int read_names(struct reading *r, struct bytes value, struct selection **out) {
    struct json_iter iter;
    struct bytes item;
    int rc = 0;
    r->count = 0;
    bool missing = !value.at || json_kind(value) == JSON_NULL;
    if (!missing && json_array_init(&iter, value)) {
        return refuse(r, "`add` and `remove` are arrays of topics and patterns");
    }
    while (!missing && rc == 0 && json_array_next(&iter, &item) == 1) {
        rc = read_name(r, item);
    }
    return rc ? rc : selection_create(out, &mem_libc, &r->server->hash_key, r->names, r->count);
}

static int read_after(struct reading *r, struct bytes value) {
    if (!value.at || json_kind(value) == JSON_NULL) {
        return 0;
    }
    if (json_kind(value) != JSON_STRING) {
        return refuse(r, "`after` is the id of an event, as a string");
    }
    return json_string_decode(value, &r->change->cursor);
}

static int note_member(struct reading *r, struct bytes key, struct bytes value,
                       struct bytes *values) {
    int member = 0;
    while (member < MEMBER_COUNT && !bytes_is(key, member_names[member])) {
        member++;
    }
    if (member == MEMBER_COUNT) {
        return refuse(r, "a change has the members add, remove and after, no others");
    }
    if (r->seen[member]) {
        return refuse(r, "a member comes twice");
    }
    r->seen[member] = true;
    values[member] = value;
    return 0;
}

static int find_members(struct reading *r, struct bytes object, struct bytes *values) {
    struct json_iter iter;
    struct buf key;
    struct bytes value;
    int more = 1, rc = 0;
    if (json_object_init(&iter, object)) {
        return refuse(r, "a change is a JSON object: {\"add\":[…],\"remove\":[…]}");
    }
    buf_init(&key, &mem_libc, 0);
    while (rc == 0 && (more = json_object_next(&iter, &key, &value)) == 1) {
        rc = note_member(r, buf_bytes(&key), value, values);
    }
    buf_finish(&key);
    return rc ? rc : more;
}

int live_change_read(struct live_change *change, const struct server *server, struct bytes object) {
    struct reading r = {.change = change, .server = server};
    struct bytes values[MEMBER_COUNT] = {{0}};
    buf_init(&r.text, &mem_libc, 0);
    int rc = buf_reserve(&r.text, object.len + 1);
    rc = rc ? rc : find_members(&r, object, values);
    rc = rc ? rc : read_names(&r, values[ADD], &change->add);
    rc = rc ? rc : read_names(&r, values[REMOVE], &change->drop);
    rc = rc ? rc : read_after(&r, values[AFTER]);
    free(r.names);
    buf_finish(&r.text);
    return rc;
}
