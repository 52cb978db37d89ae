// Charging. Each part of a bill is paid by itself, and paid back when a later one cannot be.
#include "server/rates.h"

#include <stdio.h>

#include "server/limit_keys.h"
#include "server/publish_item.h"
#include "server/worker.h"

enum { PARTS_MAX = 2 * (2 + FRAME_TOPICS_MAX) };

struct part {
    enum rates_of of;
    uint64_t key, cost;
};

struct bill {
    struct part parts[PARTS_MAX];
    size_t count;
};

static const enum limit limits[RATES_OF] = {
    [RATE_PUBLISHER_EVENTS] = LIMIT_PUBLISHER_EVENTS,
    [RATE_PUBLISHER_BYTES] = LIMIT_PUBLISHER_BYTES,
    [RATE_ADDRESS_EVENTS] = LIMIT_ADDRESS_EVENTS,
    [RATE_ADDRESS_BYTES] = LIMIT_ADDRESS_BYTES,
    [RATE_TOPIC_EVENTS] = LIMIT_TOPIC_EVENTS,
    [RATE_TOPIC_BYTES] = LIMIT_TOPIC_BYTES,
};

static const char problem[] =
    "more is being published than the limits of the publisher, the address or the topic allow; "
    "publish it again after the time that Retry-After says";

void rates_open(struct server *server) {
    for (int i = 0; i < RATES_OF; i++) {
        rate_init(&server->rates.of[i], &mem_libc, 0, 1);
    }
    rates_reload(server);
}

void rates_reload(struct server *server) {
    const struct settings *settings = server->settings;
    const uint64_t per_second[RATES_OF] = {
        [RATE_PUBLISHER_EVENTS] = settings->rate_publisher_events,
        [RATE_PUBLISHER_BYTES] = settings->rate_publisher_bytes,
        [RATE_ADDRESS_EVENTS] = settings->rate_address_events,
        [RATE_ADDRESS_BYTES] = settings->rate_address_bytes,
        [RATE_TOPIC_EVENTS] = settings->rate_topic_events,
        [RATE_TOPIC_BYTES] = settings->rate_topic_bytes,
    };
    bool on = false;
    for (int i = 0; i < RATES_OF; i++) {
        rate_limit(&server->rates.of[i], per_second[i], settings->rate_burst);
        on |= per_second[i] != 0;
    }
    atomic_store(&server->rates.on, on);
}

void rates_close(struct server *server) {
    for (int i = 0; i < RATES_OF; i++) {
        rate_finish(&server->rates.of[i]);
    }
}

static void add(const struct rates *rates, struct bill *bill, enum rates_of of, uint64_t key,
                uint64_t cost) {
    if (rates->of[of].per_second) {
        bill->parts[bill->count++] = (struct part){.of = of, .key = key, .cost = cost};
    }
}

static void make_out(const struct exchange *exchange, const struct frame *frame,
                     struct bill *bill) {
    const struct server *server = exchange->worker->server;
    const struct rates *rates = &server->rates;
    uint64_t key = limit_key_publisher(exchange);
    bill->count = 0;
    add(rates, bill, RATE_PUBLISHER_EVENTS, key, 1);
    add(rates, bill, RATE_PUBLISHER_BYTES, key, frame->size);
    if (limit_key_address(server, &exchange->client, &key)) {
        add(rates, bill, RATE_ADDRESS_EVENTS, key, 1);
        add(rates, bill, RATE_ADDRESS_BYTES, key, frame->size);
    }
    for (size_t i = 0; i < frame->topic_count; i++) {
        add(rates, bill, RATE_TOPIC_EVENTS, frame->topics[i].hash, 1);
        add(rates, bill, RATE_TOPIC_BYTES, frame->topics[i].hash, frame->size);
    }
}

// 0, or the time until this can be paid, with everything before it paid back.
static int64_t pay(struct worker *worker, const struct bill *bill) {
    struct rates *rates = &worker->server->rates;
    for (size_t i = 0; i < bill->count; i++) {
        const struct part *part = &bill->parts[i];
        int64_t wait = rate_spend(&rates->of[part->of], part->key, part->cost, worker_now(worker));
        if (wait == 0) {
            continue;
        }
        worker_limit_hit(worker, limits[part->of]);
        while (i--) {
            part = &bill->parts[i];
            rate_refund(&rates->of[part->of], part->key, part->cost);
        }
        return wait;
    }
    return 0;
}

int rates_charge(struct exchange *exchange, const struct frame *frame) {
    struct bill bill;
    if (!exchange->worker->server->rates.on) {
        return 0;
    }
    make_out(exchange, frame, &bill);
    int64_t wait = pay(exchange->worker, &bill);
    int64_t seconds = wait / 1000 + (wait % 1000 > 0);
    return seconds < INT32_MAX ? (int)seconds : INT32_MAX;
}

void rates_answer(struct exchange *exchange, int seconds, uint64_t published) {
    struct worker *worker = exchange->worker;
    char detail[sizeof(problem) + 80], after[16];
    int len = snprintf(detail, sizeof(detail), "%s", problem);
    if (published) {
        snprintf(detail + len, sizeof(detail) - (size_t)len,
                 "; %llu events before it were published", (unsigned long long)published);
    }
    buf_clear(&worker->body);
    hub_count(&worker->counters.refused, 1);
    // Without memory for the sentence the status still tells.
    (void)http_problem_body(&worker->body, 429, bytes_of(detail));
    struct reply reply = {
        .status = 429, .type = "application/problem+json", .body = buf_bytes(&worker->body)};
    snprintf(after, sizeof(after), "%d", seconds);
    reply_add(&reply, "Retry-After", bytes_of(after));
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

bool rates_refuse(struct exchange *exchange, const struct frame *frame) {
    int seconds = rates_charge(exchange, frame);
    if (seconds) {
        rates_answer(exchange, seconds, 0);
    }
    return seconds != 0;
}

void rates_refuse_item(struct exchange *exchange, struct publish_item *item) {
    int seconds = item->frame ? rates_charge(exchange, item->frame) : 0;
    if (seconds) {
        frame_unref(item->frame);
        *item = (struct publish_item){.status = 429, .problem = problem, .retry_after = seconds};
    }
}
