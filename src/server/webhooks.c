// One thread hands over what waits, a batch at a time: so everything arrives in order, and a receiver
// that is slow gets more in each request, not more requests. A batch counts as handed over when it was
// answered with a 2xx; until then it is the same batch, or one that begins with it.
#include "server/webhooks.h"
#include "http/url.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/identity.h"
#include "auth/key_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread.h"
#include "client/asker.h"
#include "client/backoff.h"
#include "server/presence.h"
#include "server/stream.h"
#include "server/webhook_queue.h"
#include "server/worker.h"

enum {
    SECRET_MIN = 32,
    SECRET_FILE_MAX = 4096,
    IDLE_MS = 60000,
    RETRY_MS = 500,
    END_MS = 3000, // for what is left at the end
    ANSWER_MAX = 4096,
};

struct webhooks {
    const struct settings *settings;
    struct buf secret;
    struct asker *asker; // the thread's, with the next three
    struct backoff backoff;
    struct buf body;
    bool troubled;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; // of all that follows
    struct presence presence;
    struct webhook_queue queue;
    struct buf text; // where a message is composed
    int under_way;   // messages at the receiver
    int64_t again;   // when it may be tried again
    int64_t end_by;  // 0: it goes on
    uint64_t requests, failures, delivered;
};

static const char *problem_with(const struct settings *settings) {
    const char *url = settings->webhook_url;
    if (!url) {
        return NULL;
    }
    if (!http_url_is_address(bytes_of(url))) {
        return "--webhook-url takes an address as http://127.0.0.1:3000/freshet-events";
    }
    return settings->webhook_secret_file ? NULL
                                         : "--webhook-url needs --webhook-secret-file, so that the "
                                           "receiver can tell who speaks";
}

// --- messages; the lock is held ---

static void push(struct webhooks *hooks, int rc) {
    if (rc) {
        hooks->queue.number++;
        hooks->queue.dropped++;
    } else {
        webhook_queue_push(&hooks->queue, buf_bytes(&hooks->text), clock_wall_ms());
    }
}

static void push_topic(struct webhooks *hooks, const char *type, struct bytes name) {
    struct buf *text = &hooks->text;
    buf_clear(text);
    int rc = buf_printf(text, "\"type\":\"%s\",\"topic\":", type);
    push(hooks, rc ? rc : json_append_string(text, name));
}

static void note_hold(struct webhooks *hooks, struct bytes name, bool held, int64_t now) {
    if (!held) {
        presence_leave(&hooks->presence, name, now);
    } else if (presence_enter(&hooks->presence, name) == 1) {
        push_topic(hooks, "topic.first-listener", name);
    }
}

static void tell_who_has_gone(struct webhooks *hooks, int64_t now) {
    struct buf name;
    buf_init(&name, &mem_libc, 0);
    while (presence_gone(&hooks->presence, now, &name) == 1) {
        push_topic(hooks, "topic.last-listener", buf_bytes(&name));
        buf_clear(&name);
    }
    buf_finish(&name);
}

void webhooks_held(struct server *server, const struct selection *selection, bool held) {
    struct webhooks *hooks = server->webhooks;
    if (!hooks) {
        return;
    }
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&hooks->lock);
    for (uint32_t i = 0; i < selection->count; i++) {
        note_hold(hooks, selection->items[i].name.text, held, now);
    }
    pthread_mutex_unlock(&hooks->lock);
    asker_wake(hooks->asker);
}

static int append_topics(struct buf *text, const struct selection *selection) {
    int rc = buf_append_text(text, ",\"topics\":[");
    for (uint32_t i = 0; rc == 0 && i < selection->count; i++) {
        rc = i ? buf_append_text(text, ",") : 0;
        rc = rc ? rc : json_append_string(text, selection->items[i].name.text);
    }
    return rc ? rc : buf_append_text(text, "]");
}

static int append_address(struct buf *text, struct peer peer) {
    char address[ADDRESS_TEXT_MAX];
    peer_format(&peer, address);
    int rc = buf_append_text(text, ",\"peer\":");
    return rc ? rc : json_append_string(text, bytes_of(address));
}

static int append_subject(struct buf *text, const struct identity *identity) {
    if (!identity || !identity->claims.subject.len) {
        return 0;
    }
    int rc = buf_append_text(text, ",\"subject\":");
    return rc ? rc : json_append_string(text, buf_bytes(&identity->claims.subject));
}

static int compose_end(struct buf *text, const struct stream *stream) {
    buf_clear(text);
    int rc =
        buf_printf(text,
                   "\"type\":\"connection.ended\",\"connection\":%llu,\"protocol\":\"%s\","
                   "\"opened\":%lld",
                   (unsigned long long)stream->number,
                   stream->talk ? "ws" : stream->ops->protocol(stream), (long long)stream->opened);
    rc = rc ? rc : append_address(text, stream->ops->peer(stream));
    rc = rc ? rc : append_subject(text, stream->identity);
    return rc || !stream->subscriber.feed ? rc
                                          : append_topics(text, stream->subscriber.feed->selection);
}

void webhooks_ended(struct stream *stream) {
    struct webhooks *hooks = stream->worker->server->webhooks;
    if (!hooks || !stream->opened || stream->told) {
        return;
    }
    stream->told = true;
    pthread_mutex_lock(&hooks->lock);
    push(hooks, compose_end(&hooks->text, stream));
    pthread_mutex_unlock(&hooks->lock);
    asker_wake(hooks->asker);
}

// --- the thread ---

// "t=1700000000,v1=…": what is signed is the time, a full stop and the body, so that an old request
// cannot be sent again as a new one.
static int sign(const struct webhooks *hooks, int64_t now_ms, struct buf *headers) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    int rc = buf_printf(&text, "%lld.", (long long)(now_ms / 1000));
    rc = rc ? rc : buf_append(&text, hooks->body.at, hooks->body.len);
    if (rc == 0 && !HMAC(EVP_sha256(), hooks->secret.at, (int)hooks->secret.len,
                         (const unsigned char *)text.at, text.len, mac, &len)) {
        rc = ERR_NOMEM;
    }
    buf_finish(&text);
    rc = rc ? rc : buf_printf(headers, "Freshet-Signature: t=%lld,v1=", (long long)(now_ms / 1000));
    for (unsigned i = 0; rc == 0 && i < len; i++) {
        rc = buf_printf(headers, "%02x", mac[i]);
    }
    return rc ? rc : buf_append(headers, "", 1);
}

static void tell(struct webhooks *hooks, const struct asker_answer *answer, bool fine) {
    if (!fine && !hooks->troubled) {
        if (answer->problem) {
            log_write(LOG_WARN, "--webhook-url cannot be told: %s", answer->problem);
        } else {
            log_write(LOG_WARN, "--webhook-url cannot be told: it answers %ld", answer->status);
        }
    } else if (fine && hooks->troubled) {
        log_write(LOG_INFO, "--webhook-url answers again");
    }
    hooks->troubled = !fine;
}

static void on_done(void *ctx, const struct asker_answer *answer) {
    struct webhooks *hooks = ctx;
    bool fine = !answer->problem && answer->status >= 200 && answer->status < 300;
    tell(hooks, answer, fine);
    pthread_mutex_lock(&hooks->lock);
    hooks->failures += !fine;
    if (fine) {
        hooks->delivered += (uint64_t)hooks->under_way;
        webhook_queue_pop(&hooks->queue, (size_t)hooks->under_way);
        hooks->backoff.failures = 0;
        hooks->again = 0;
    } else {
        hooks->again = clock_mono_ms() + backoff_next(&hooks->backoff, false);
    }
    hooks->under_way = 0;
    pthread_mutex_unlock(&hooks->lock);
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

// Without the lock: what is at the front of the queue stays there until it is done.
static int hand_over(struct webhooks *hooks, int64_t timeout_ms) {
    struct buf headers;
    buf_init(&headers, &mem_libc, 0);
    int rc = sign(hooks, clock_wall_ms(), &headers);
    struct asker_request request = {.url = hooks->settings->webhook_url,
                                    .headers = buf_bytes(&headers),
                                    .body = buf_bytes(&hooks->body),
                                    .timeout_ms = timeout_ms,
                                    .max_answer = ANSWER_MAX};
    rc = rc ? rc : asker_begin(hooks->asker, &request, on_done, hooks);
    buf_finish(&headers);
    return rc;
}

static void begin(struct webhooks *hooks, int64_t now) {
    int64_t timeout = hooks->settings->webhook_timeout_ms;
    timeout = hooks->end_by ? least(timeout, hooks->end_by - now) : timeout;
    buf_clear(&hooks->body);
    int count = webhook_queue_compose(&hooks->queue, &hooks->body);
    int rc = count < 0 ? count : 0;
    if (rc == 0) {
        hooks->under_way = count;
        hooks->requests++;
        pthread_mutex_unlock(&hooks->lock);
        rc = hand_over(hooks, timeout);
        pthread_mutex_lock(&hooks->lock);
    }
    if (rc) { // there was no memory
        hooks->under_way = 0;
        hooks->again = now + RETRY_MS;
    }
}

// Begins what is to be begun. Returns until when there is nothing to do here.
static int64_t attend(struct webhooks *hooks, int64_t now) {
    tell_who_has_gone(hooks, hooks->end_by ? INT64_MAX - 1 : now);
    if (!hooks->under_way && hooks->queue.count && hooks->again <= now &&
        (!hooks->end_by || now < hooks->end_by)) {
        begin(hooks, now);
    }
    int64_t next = least(presence_next(&hooks->presence), now + IDLE_MS);
    next = hooks->end_by ? least(next, hooks->end_by) : next;
    return hooks->queue.count && !hooks->under_way ? least(next, hooks->again) : next;
}

static bool is_over(const struct webhooks *hooks, int64_t now) {
    return hooks->end_by && (!hooks->queue.count || hooks->end_by <= now);
}

static void *run(void *ctx) {
    struct webhooks *hooks = ctx;
    pthread_mutex_lock(&hooks->lock);
    for (;;) {
        int64_t now = clock_mono_ms();
        int64_t next = attend(hooks, now);
        if (is_over(hooks, now)) {
            break;
        }
        pthread_mutex_unlock(&hooks->lock);
        asker_wait(hooks->asker, next > now ? next - now : 0);
        pthread_mutex_lock(&hooks->lock);
    }
    pthread_mutex_unlock(&hooks->lock);
    return NULL;
}

// --- the main thread ---

static int read_secret(struct buf *secret, struct server *server) {
    const char *name = server->settings->webhook_secret_file;
    int rc = key_file_read(name, secret);
    secret->len = rc ? 0 : key_file_trim(buf_bytes(secret)).len;
    if (rc == 0 && secret->len >= SECRET_MIN) {
        return 0;
    }
    snprintf(server->problem, sizeof(server->problem),
             "--webhook-secret-file \"%.100s\": it cannot be read, or is no secret of 32 to 4096 "
             "bytes",
             name);
    return ERR_INVALID;
}

static int check(struct server *server, struct buf *secret) {
    const char *problem = problem_with(server->settings);
    if (problem) {
        snprintf(server->problem, sizeof(server->problem), "%s", problem);
        return ERR_INVALID;
    }
    return server->settings->webhook_url ? read_secret(secret, server) : 0;
}

int webhooks_check(struct server *server) {
    struct buf secret;
    buf_init(&secret, &mem_libc, SECRET_FILE_MAX);
    int rc = check(server, &secret);
    buf_finish(&secret);
    return rc;
}

static void release(struct webhooks *hooks) {
    asker_destroy(hooks->asker);
    presence_finish(&hooks->presence);
    webhook_queue_finish(&hooks->queue);
    buf_finish(&hooks->secret);
    buf_finish(&hooks->text);
    buf_finish(&hooks->body);
    pthread_mutex_destroy(&hooks->lock);
    free(hooks);
}

static void prepare(struct webhooks *hooks, const struct server *server) {
    const struct settings *settings = server->settings;
    uint64_t era = 0;
    (void)random_seed(&era, sizeof(era));
    hooks->settings = settings;
    pthread_mutex_init(&hooks->lock, NULL);
    presence_init(&hooks->presence, &mem_libc, &server->hash_key, settings->webhook_grace_ms);
    webhook_queue_init(&hooks->queue, &mem_libc, settings->webhook_queue, era);
    backoff_init(&hooks->backoff, RETRY_MS, era);
    buf_init(&hooks->secret, &mem_libc, SECRET_FILE_MAX);
    buf_init(&hooks->text, &mem_libc, 0);
    buf_init(&hooks->body, &mem_libc, 0);
}

int webhooks_open(struct server *server) {
    struct webhooks *hooks = server->settings->webhook_url ? calloc(1, sizeof(*hooks)) : NULL;
    if (!hooks) {
        return server->settings->webhook_url ? ERR_NOMEM : 0;
    }
    prepare(hooks, server);
    int rc = check(server, &hooks->secret);
    rc = rc ? rc : asker_create(&hooks->asker, &mem_libc);
    rc = rc ? rc : thread_start(&hooks->thread, run, hooks);
    hooks->running = rc == 0;
    if (rc) {
        release(hooks);
    } else {
        server->webhooks = hooks;
    }
    return rc;
}

void webhooks_close(struct server *server) {
    struct webhooks *hooks = server->webhooks;
    server->webhooks = NULL;
    if (!hooks) {
        return;
    }
    pthread_mutex_lock(&hooks->lock);
    hooks->end_by = clock_mono_ms() + END_MS;
    hooks->again = 0;
    pthread_mutex_unlock(&hooks->lock);
    asker_wake(hooks->asker);
    pthread_join(hooks->thread, NULL);
    if (hooks->queue.count) {
        log_write(LOG_WARN, "%zu messages for --webhook-url are lost", hooks->queue.count);
    }
    release(hooks);
}

void webhooks_put_metrics(const struct server *server, struct buf *out) {
    struct webhooks *hooks = server->webhooks;
    if (!hooks) {
        return;
    }
    pthread_mutex_lock(&hooks->lock);
    // A page that is cut short for want of memory is noticed by whoever parses it.
    (void)buf_printf(
        out,
        "# HELP freshet_webhook_requests_total Requests to --webhook-url.\n"
        "# TYPE freshet_webhook_requests_total counter\n"
        "freshet_webhook_requests_total %llu\n"
        "# HELP freshet_webhook_failures_total Of them, those that have to be repeated.\n"
        "# TYPE freshet_webhook_failures_total counter\n"
        "freshet_webhook_failures_total %llu\n"
        "# HELP freshet_webhook_delivered_total Messages that --webhook-url has taken.\n"
        "# TYPE freshet_webhook_delivered_total counter\n"
        "freshet_webhook_delivered_total %llu\n"
        "# HELP freshet_webhook_dropped_total Messages that found no room to wait.\n"
        "# TYPE freshet_webhook_dropped_total counter\n"
        "freshet_webhook_dropped_total %llu\n"
        "# HELP freshet_webhook_waiting Messages that wait for --webhook-url.\n"
        "# TYPE freshet_webhook_waiting gauge\n"
        "freshet_webhook_waiting %zu\n",
        (unsigned long long)hooks->requests, (unsigned long long)hooks->failures,
        (unsigned long long)hooks->delivered, (unsigned long long)hooks->queue.dropped,
        hooks->queue.count);
    pthread_mutex_unlock(&hooks->lock);
}
