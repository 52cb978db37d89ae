// The exchange's side of asking. What waits hangs on the exchange; the desk has the question until it is
// answered, and then the worker's mailbox; if the exchange goes meanwhile, whoever has it last frees it.
#include "server/auth_hook.h"

#include <stdlib.h>

#include "auth/verdict.h"
#include "base/error.h"
#include "http/websocket.h"
#include "server/access.h"
#include "server/auth_desk.h"
#include "server/auth_question.h"
#include "server/come_back.h"
#include "server/held_request.h"
#include "server/worker.h"

enum ask_state { NOTED, WAITING, DECIDED };

struct auth_ask {
    struct task task;
    struct auth_question question;
    struct exchange *exchange; // NULL: it is over
    struct worker *worker;
    struct held_request *request; // while `begin` waits
    struct grants names;
    enum right right;
    struct verdict verdict;
    enum ask_state state;
    bool remembered; // the headers are in the question
};

static struct auth_desk *desk_of(const struct exchange *exchange) {
    return exchange->worker->server->access.desk;
}

static void ask_destroy(struct auth_ask *ask) {
    held_request_destroy(ask->request);
    auth_text_finish(&ask->question.text);
    grants_finish(&ask->names);
    verdict_finish(&ask->verdict);
    free(ask);
}

static struct auth_ask *ask_of(struct exchange *exchange) {
    if (!exchange->ask) {
        struct auth_ask *ask = calloc(1, sizeof(*ask));
        if (!ask) {
            return NULL;
        }
        ask->exchange = exchange;
        ask->worker = exchange->worker;
        auth_text_init(&ask->question.text);
        grants_init(&ask->names);
        exchange->ask = ask;
    }
    return exchange->ask;
}

static struct bytes name_at(const struct grants *names, size_t i) {
    return bytes_make(names->text.at + names->items[i].at, names->items[i].len);
}

static bool has_name(const struct grants *names, struct bytes name) {
    for (size_t i = 0; i < names->count; i++) {
        if (bytes_equal(name_at(names, i), name)) {
            return true;
        }
    }
    return false;
}

bool auth_hook_note(struct exchange *exchange, struct bytes name, enum right right) {
    struct auth_ask *ask = desk_of(exchange) ? ask_of(exchange) : NULL;
    if (!ask || ask->state != NOTED) {
        return false;
    }
    ask->right = right;
    return has_name(&ask->names, name) || grants_add(&ask->names, name, right) == 0;
}

int auth_hook_remember(struct exchange *exchange, const struct http_request *req) {
    struct auth_ask *ask = desk_of(exchange) ? ask_of(exchange) : NULL;
    if (!desk_of(exchange) || (ask && ask->remembered)) {
        return 0;
    }
    int rc = ask ? auth_question_headers(&ask->question.text.headers, exchange, req) : ERR_NOMEM;
    if (rc == 0) {
        ask->remembered = true;
    }
    return rc;
}

int auth_hook_keep(const struct exchange *exchange, const struct http_request *req,
                   struct buf *out) {
    return desk_of(exchange) ? auth_question_headers(out, exchange, req) : 0;
}

int auth_hook_recall(struct exchange *exchange, struct bytes kept) {
    struct auth_ask *ask = desk_of(exchange) ? ask_of(exchange) : NULL;
    if (!desk_of(exchange)) {
        return 0;
    }
    int rc = ask ? buf_append(&ask->question.text.headers, kept.at, kept.len) : ERR_NOMEM;
    if (rc == 0) {
        ask->remembered = true;
    }
    return rc;
}

// --- the answer ---

static const char *verb(const struct auth_ask *ask) {
    return ask->right == RIGHT_PUBLISH ? "publish to" : "listen to";
}

static void refuse(struct exchange *exchange, const struct auth_ask *ask, bool known) {
    struct bytes name = name_at(&ask->names, 0);
    char detail[TOPIC_NAME_MAX + 200];
    const char *more = ask->names.count > 1 ? " and what else was asked for" : "";
    if (known) {
        exchange_problem(exchange, 403, "the backend of this server does not let you %s `%.*s`%s",
                         verb(ask), (int)name.len, name.at, more);
        return;
    }
    snprintf(detail, sizeof(detail),
             "to %s `%.*s` show who you are in the way that the backend of this server expects",
             verb(ask), (int)name.len, name.at);
    access_challenge(exchange, detail);
}

static void answer_later(struct exchange *exchange, const struct auth_ask *ask) {
    static const char detail[] = "whether you may could not be found out just now; come back after "
                                 "the time that Retry-After says";
    enum http_representation kind = HTTP_JSON;
    if (ask->right == RIGHT_SUBSCRIBE && ask->request && !exchange->to_head) {
        const struct http_request *req = held_request_get(ask->request);
        bool websocket = exchange->connects || websocket_wanted(req);
        kind = websocket ? HTTP_JSON : http_negotiate(http_request_header(req, "accept"));
    }
    hub_count(&exchange->worker->counters.refused, 1);
    come_back_answer(exchange, kind, detail);
}

static bool may_assume(const struct exchange *exchange) {
    return exchange->worker->server->settings->auth_on_failure == AUTH_ALLOW;
}

static bool vouch(struct exchange *exchange, struct identity *identity) {
    exchange->vouched = identity_ref(identity);
    if (!exchange->identity) {
        exchange->identity = identity_ref(identity);
    }
    return true;
}

// Whether the exchange goes on; else it is answered, and may be gone.
static bool judge(struct exchange *exchange, struct auth_ask *ask) {
    struct verdict *verdict = &ask->verdict;
    struct verdict_question question = {.names = &ask->names};
    if (verdict->kind == VERDICT_UNKNOWN && may_assume(exchange)) {
        verdict_assume(verdict, &question);
    }
    switch (verdict->kind) {
    case VERDICT_YES:
        return vouch(exchange, verdict->identity);
    case VERDICT_WHO:
    case VERDICT_NO:
        refuse(exchange, ask, verdict->kind == VERDICT_NO);
        return false;
    default:
        answer_later(exchange, ask);
        return false;
    }
}

int auth_hook_begin_again(struct exchange *exchange) {
    struct auth_ask *ask = exchange->ask;
    exchange->undecided = false;
    // The session keeps the exchange for as long as this takes.
    if (!judge(exchange, ask)) {
        return 0;
    }
    struct held_request *held = ask->request;
    ask->request = NULL;
    int rc = exchange->handler->begin(exchange, held_request_get(held));
    held_request_destroy(held);
    return rc;
}

static void end_again(struct exchange *exchange, struct auth_ask *ask) {
    if (!judge(exchange, ask)) {
        return;
    }
    int rc = exchange->handler->end(exchange);
    if (rc) {
        exchange_refuse(exchange, rc);
    }
}

static void decided(struct worker *worker, struct task *task) {
    struct auth_ask *ask = container_of(task, struct auth_ask, task);
    struct exchange *exchange = ask->exchange;
    (void)worker;
    if (!exchange) {
        ask_destroy(ask);
        return;
    }
    ask->state = DECIDED;
    if (exchange->undecided) {
        exchange->ops->resume(exchange);
    } else {
        end_again(exchange, ask);
    }
}

static void cancel(struct task *task) {
    ask_destroy(container_of(task, struct auth_ask, task));
}

// On any thread, with the desk locked.
static void on_answered(struct auth_question *question, const struct verdict *verdict) {
    struct auth_ask *ask = container_of(question, struct auth_ask, question);
    ask->verdict = *verdict;
    identity_ref(verdict->identity);
    worker_post(ask->worker, &ask->task);
}

// --- the question ---

static int compose(struct auth_ask *ask) {
    struct auth_text *text = &ask->question.text;
    struct exchange *exchange = ask->exchange;
    int rc = auth_question_body(text, exchange, &ask->names, ask->right);
    for (size_t i = 0; rc == 0 && i < ask->names.count; i++) {
        rc = grants_add(&text->names, name_at(&ask->names, i), ask->right);
    }
    return rc;
}

// 0, or ERR_NOMEM: it does not wait.
static int submit(struct auth_ask *ask) {
    struct exchange *exchange = ask->exchange;
    ask->task = (struct task){.run = decided, .cancel = cancel};
    ask->question.answered = on_answered;
    ask->state = WAITING;
    int rc = compose(ask);
    rc = rc ? rc : auth_desk_ask(desk_of(exchange), &ask->question);
    if (rc == ERR_TOO_LARGE) {
        // Late, as every answer: so there is one way only.
        ask->verdict = (struct verdict){.kind = VERDICT_UNKNOWN};
        worker_limit_hit(exchange->worker, LIMIT_AUTH_WAITING);
        worker_post(ask->worker, &ask->task);
        return 0;
    }
    ask->state = rc ? DECIDED : WAITING;
    return rc;
}

static bool has_noted(const struct exchange *exchange) {
    const struct auth_ask *ask = exchange->ask;
    return ask && ask->state == NOTED && ask->names.count;
}

bool auth_hook_holds_begin(struct exchange *exchange, const struct http_request *req) {
    if (!has_noted(exchange)) {
        return false;
    }
    struct auth_ask *ask = exchange->ask;
    int rc = exchange->ops->resume ? auth_hook_remember(exchange, req) : ERR_NOMEM;
    ask->request = rc ? NULL : held_request_create(req);
    rc = ask->request ? submit(ask) : ERR_NOMEM;
    if (rc) {
        ask->state = DECIDED;
        exchange_refuse(exchange, rc);
    } else {
        exchange->undecided = true;
    }
    return true;
}

bool auth_hook_holds_end(struct exchange *exchange) {
    if (!has_noted(exchange)) {
        return false;
    }
    int rc = submit(exchange->ask);
    if (rc) {
        exchange_refuse(exchange, rc);
    }
    return true;
}

bool auth_hook_waits(const struct exchange *exchange) {
    return exchange->ask && exchange->ask->state == WAITING;
}

void auth_hook_drop(struct exchange *exchange) {
    struct auth_ask *ask = exchange->ask;
    exchange->ask = NULL;
    exchange->undecided = false;
    identity_unref(exchange->vouched);
    exchange->vouched = NULL;
    if (ask && ask->state == WAITING && !auth_desk_leave(desk_of(exchange), &ask->question)) {
        ask->exchange = NULL; // it is in the mailbox; `decided` frees it
    } else if (ask) {
        ask_destroy(ask);
    }
}
