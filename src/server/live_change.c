// Applying a change. What can fail is done before the hub is asked to move anyone, so that a change
// that fails has changed nothing.
#include "server/live_change.h"

#include <stdio.h>

#include "auth/identity.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/change.h"
#include "hub/control.h"
#include "server/access.h"
#include "server/stream.h"
#include "server/wish.h"
#include "server/worker.h"

// What a listener would hear, and what of it is new.
struct plan {
    struct selection *next, *added;
    event_id from; // where the stream goes on with what is new
    bool complete; // nothing before that is left to be given
};

void live_change_init(struct live_change *change) {
    *change = (struct live_change){0};
    buf_init(&change->cursor, &mem_libc, 0);
    buf_init(&change->items, &mem_libc, 0);
    buf_init(&change->body, &mem_libc, 0);
}

void live_change_finish(struct live_change *change) {
    selection_destroy(&change->add);
    selection_destroy(&change->drop);
    identity_unref(change->identity);
    change->identity = NULL;
    buf_finish(&change->cursor);
    buf_finish(&change->items);
    buf_finish(&change->body);
}

static void refuse(struct live_change *change, int status, const char *problem) {
    change->status = status;
    snprintf(change->problem, sizeof(change->problem), "%s", problem);
}

void live_change_gone(struct live_change *change) {
    refuse(change, 404,
           "there is no such connection, or no more; its name is told by the event "
           "freshet.connection, to who asks with control=1");
}

void live_change_too_many(struct live_change *change, const struct server *server) {
    change->status = 400;
    change->too_many = true;
    snprintf(change->problem, sizeof(change->problem),
             "more than %llu topics on one connection; use a pattern, or several connections, or "
             "raise --max-topics",
             (unsigned long long)server->settings->max_topics);
}

// --- the past of what is added ---

// What the listener gave may be no UTF-8 that can be quoted.
static struct bytes quotable(struct bytes cursor) {
    struct freshet_text text = {.at = cursor.at, .len = cursor.len};
    bool fine = cursor.len <= CURSOR_TEXT_MAX && freshet_utf8_check(text) == text.len;
    return fine ? cursor : bytes_make("", 0);
}

static int tell_gap(struct live_change *change, struct worker *worker, struct bytes after,
                    event_id before, const char *reason) {
    struct frame *gap;
    int rc = control_gap(&gap, &mem_libc, after, before, reason);
    if (rc == 0) {
        rc = encoding_append(ENCODING_ITEMS, gap, &change->items);
        frame_unref(gap);
        hub_count(&worker->hub.stats.gaps, 1);
    }
    return rc;
}

// Finds the cursor in the order of events, as a subscribe does.
static int find_start(struct live_change *change, struct worker *worker,
                      const struct selection *added) {
    struct past *past = &worker->server->history->past;
    struct bytes cursor = buf_bytes(&change->cursor);
    bool ours = id_parse(cursor, &change->after);
    change->started = true;
    if (ours && change->after <= bus_newest(worker->server->bus)) {
        return 0;
    }
    if (!ours && cursor.len <= CURSOR_TEXT_MAX && !bytes_is(cursor, "earliest") &&
        past->find(past, added, cursor, &change->after) == 0) {
        return 0;
    }
    change->after = 0;
    change->from_start = true;
    return bytes_is(cursor, "earliest")
               ? 0
               : tell_gap(change, worker, quotable(cursor), 0, ours ? "future" : "unknown");
}

// As much of the batch as the page has room for; *reached is where it ends then.
static int append_events(struct live_change *change, size_t room, const struct past_batch *batch,
                         event_id *reached) {
    for (size_t i = 0; i < batch->count; i++) {
        size_t before = change->items.len;
        int rc = encoding_append(ENCODING_ITEMS, batch->frames[i], &change->items);
        if (rc) {
            return rc;
        }
        if (i && change->items.len > room) {
            change->items.len = before;
            *reached = batch->frames[i - 1]->id;
            return 0;
        }
    }
    *reached = batch->reached;
    return 0;
}

static int take_batch(struct live_change *change, struct worker *worker,
                      const struct past_batch *batch) {
    char text[ID_TEXT_MAX];
    int rc = 0;
    if (batch->floor > change->after && !change->from_start) {
        rc = tell_gap(change, worker, bytes_make(text, id_format(change->after, text)),
                      batch->count ? batch->frames[0]->id : 0, "expired");
    }
    size_t room = worker->server->settings->max_answer;
    rc = rc ? rc : append_events(change, room, batch, &change->after);
    change->from_start = change->from_start && batch->count == 0;
    return rc;
}

// Reads on, up to where the stream goes on.
static int read_past(struct live_change *change, struct worker *worker, struct plan *plan) {
    struct past *past = &worker->server->history->past;
    struct past_batch batch;
    int rc = change->started ? 0 : find_start(change, worker, plan->added);
    plan->complete = change->after >= plan->from;
    if (rc || plan->complete) {
        return rc;
    }
    rc = past->read(past, plan->added, change->after, plan->from,
                    worker->server->settings->max_answer, &batch);
    if (rc) {
        return rc;
    }
    rc = take_batch(change, worker, &batch);
    past_batch_release(&batch);
    plan->complete = change->after >= plan->from;
    return rc;
}

// --- the answer ---

static int append_topics(struct buf *out, const struct selection *selection) {
    int rc = buf_append_text(out, "{\"topics\":[");
    for (uint32_t i = 0; rc == 0 && i < selection->count; i++) {
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : json_append_string(out, selection->items[i].name.text);
    }
    return rc ? rc : buf_append_text(out, "]");
}

static int append_cursor(struct buf *out, const char *name, bool known, event_id id) {
    char text[ID_TEXT_MAX];
    int rc = buf_append_text(out, name);
    if (rc == 0) {
        rc = known ? json_append_string(out, bytes_make(text, id_format(id, text)))
                   : buf_append_text(out, "null");
    }
    return rc;
}

static int write_answer(struct live_change *change, const struct plan *plan,
                        const struct selection *now) {
    struct buf *out = &change->body;
    struct bytes items = buf_bytes(&change->items);
    int rc = append_topics(out, plan->complete ? plan->next : now);
    rc = rc ? rc : append_cursor(out, ",\"from\":", plan->complete, plan->from);
    rc = rc ? rc : buf_append_text(out, ",\"events\":[");
    // The first item has a comma in front of it too.
    rc = rc || !items.len ? rc : buf_append(out, items.at + 1, items.len - 1);
    rc = rc ? rc : append_cursor(out, "],\"next\":", !plan->complete, change->after);
    return rc ? rc : buf_append_text(out, "}");
}

// --- the change ---

// A stream lives by one API key at most, and what a key lets somebody hear goes with the key.
static bool is_by_another_key(const struct live_change *change, const struct stream *stream) {
    const struct identity *asks = change->identity;
    bool privy = false;
    for (uint32_t i = 0; i < change->add->count; i++) {
        privy |= change->add->items[i].privy;
    }
    bool by_key = stream->key || (asks && asks->by_key);
    return privy && by_key && !(stream->key && identity_same_key(stream->key, asks));
}

// The stream may be over when it returns.
static int move(struct live_change *change, struct stream *stream, struct plan *plan) {
    struct server *server = stream->worker->server;
    struct selection *next = plan->next;
    struct held *before;
    int rc = quotas_change(stream, stream->subscriber.feed->selection, next, &before);
    if (rc == ERR_TOO_LARGE) {
        refuse(change, 503,
               "a topic that was to be added has as many listeners as --max-listeners-per-topic "
               "allows; nothing was changed; try again later");
        return 0;
    }
    if (rc) {
        return rc;
    }
    // What is heard by a right ends with it.
    if (change->add->count) {
        stream_expire_at_most(stream, change->lasts_ms);
    }
    plan->next = NULL;
    rc = hub_change(&stream->subscriber, next);
    if (rc) {
        quotas_change_back(stream, &before);
    } else {
        quotas_give_listener(server, &before);
    }
    return rc;
}

static int carry_out(struct live_change *change, struct stream *stream, struct plan *plan) {
    struct subscriber *subscriber = &stream->subscriber;
    int rc = write_answer(change, plan, subscriber->feed->selection);
    if (rc == 0 && plan->complete) {
        rc = move(change, stream, plan);
    }
    if (rc == 0 && change->status == 0) {
        change->status = 200;
    }
    return rc;
}

// 0; 1 to be called again; or a negative error.
static int apply(struct live_change *change, struct stream *stream, struct plan *plan) {
    struct worker *worker = stream->worker;
    plan->from = hub_position(&stream->subscriber);
    plan->complete = true;
    if (plan->next->count > worker->server->settings->max_topics) {
        live_change_too_many(change, worker->server);
        return 0;
    }
    if (change->cursor.len && plan->added->count) {
        int rc = read_past(change, worker, plan);
        if (rc) {
            return rc;
        }
        // A pattern that matches little: nothing to tell yet, and others have to be served.
        if (!plan->complete && change->items.len == 0) {
            return 1;
        }
    }
    return carry_out(change, stream, plan);
}

bool live_change_apply(struct live_change *change, struct stream *stream) {
    struct worker *worker = stream->worker;
    struct subscriber *subscriber = &stream->subscriber;
    struct plan plan = {0};
    if (!subscriber->feed) {
        live_change_gone(change);
        return true;
    }
    if (is_by_another_key(change, stream)) {
        refuse(change, 403,
               "this connection was not opened with this API key, so nothing can be added by it; "
               "open another connection, or change the token of this one");
        return true;
    }
    int rc = change_plan(subscriber->feed->selection, change->drop, change->add,
                         &worker->server->hash_key, &plan.next, &plan.added);
    rc = rc ? rc : apply(change, stream, &plan);
    selection_destroy(&plan.next);
    selection_destroy(&plan.added);
    if (rc < 0) {
        refuse(change, 503,
               rc == ERR_NOMEM ? "the server is out of memory; nothing was changed; try again later"
                               : "history cannot be read just now; nothing was changed; try again");
    }
    return rc <= 0;
}
