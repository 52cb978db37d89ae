// What makes a repeated publish known: the publisher's own id of an event, or else the
// Idempotency-Key of the request and the event's number in it; either one together with the topics.
// An own id goes first, because it names the event, and the key only an attempt to hand it in.
#include "auth/identity.h"
#include "base/error.h"
#include "http/idempotency_key.h"
#include "server/publish.h"
#include "server/worker.h"

const char publish_key_problem[] =
    "this Idempotency-Key was used for another event; give each publish a key of its own, and "
    "repeat a key only with what it was sent with";

enum kind { BY_OWN_ID = 1, BY_KEY };

// Two publishers may choose the same key: the subject of the token, or the name of the API key, tells
// them apart.
static uint64_t hash_of(const struct exchange *exchange, const char *text, size_t len) {
    const struct hash_key *secret = &exchange->worker->server->hash_key;
    const struct identity *identity = exchange->identity;
    uint64_t parts[3] = {hash_bytes(secret, text, len)};
    if (!identity || !identity->claims.subject.len) {
        return parts[0];
    }
    parts[1] = hash_bytes(secret, identity->claims.subject.at, identity->claims.subject.len);
    parts[2] = identity->by_key;
    return hash_bytes(secret, parts, sizeof(parts));
}

static const char *read_key(const struct exchange *exchange, struct bytes value, uint64_t *key) {
    char text[HTTP_KEY_MAX];
    int len = http_idempotency_key(value, text);
    if (len == ERR_TOO_LARGE) {
        return "an Idempotency-Key has at most 255 characters";
    }
    if (len < 0) {
        return "an Idempotency-Key is visible ASCII without commas and semicolons, or a string in "
               "quotes";
    }
    uint64_t hash = hash_of(exchange, text, (size_t)len);
    *key = hash ? hash : 1;
    return NULL;
}

bool publish_take_key(struct exchange *exchange, const struct http_request *req, uint64_t *key) {
    const char *problem = NULL;
    *key = 0;
    for (size_t i = 0; i < req->header_count && !problem; i++) {
        if (bytes_equal_nocase(req->headers[i].name, bytes_of("idempotency-key"))) {
            problem = *key ? "a request has at most one Idempotency-Key"
                           : read_key(exchange, req->headers[i].value, key);
        }
    }
    if (problem) {
        exchange_problem(exchange, 400, "%s", problem);
    }
    return !problem;
}

void publish_identify(const struct worker *worker, struct frame *frame, uint64_t key,
                      uint64_t number) {
    const struct hash_key *secret = &worker->server->hash_key;
    struct bytes own = frame_own_id(frame);
    if (worker->server->settings->idempotency_window_ms == 0 || (own.len == 0 && key == 0)) {
        return;
    }
    uint64_t topics = 0; // a sum, so that their order does not matter
    for (size_t i = 0; i < frame->topic_count; i++) {
        topics += frame->topics[i].hash;
    }
    uint64_t by_key[] = {BY_KEY, key, number, topics};
    uint64_t by_own_id[] = {BY_OWN_ID, hash_bytes(secret, own.at, own.len), 0, topics};
    uint64_t a = hash_bytes(secret, own.len ? by_own_id : by_key, sizeof(by_key));
    struct bytes content = frame_bytes(frame);
    uint64_t b = hash_bytes(secret, content.at, content.len);
    if (frame->private) {
        b = ~b;
    }
    if (frame->key_len) {
        struct bytes label = frame_key(frame);
        uint64_t both[] = {b, hash_bytes(secret, label.at, label.len)};
        b = hash_bytes(secret, both, sizeof(both));
    }
    frame->once = (struct once){.a = a ? a : 1, .b = b};
}
