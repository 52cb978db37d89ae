// Hashing. What kind of thing it is goes into the hash, so that a subject never meets an address, and
// nobody whose name an issuer lets them choose meets the API key of that name.
#include "server/limit_keys.h"

#include "auth/identity.h"
#include "server/worker.h"

enum { NETWORK_V4 = 16, NETWORK_V6 = 8 }; // bytes of struct peer's ip

enum kind { KIND_ADDRESS = 1, KIND_SUBJECT, KIND_API_KEY };

static uint64_t key_of(const struct server *server, enum kind kind, const void *at, size_t len) {
    uint64_t parts[] = {kind, hash_bytes(&server->hash_key, at, len)};
    return hash_bytes(&server->hash_key, parts, sizeof(parts));
}

static uint64_t key_of_peer(const struct server *server, const struct peer *peer) {
    size_t len = peer_is_v4(peer) || peer_is_unix(peer) ? NETWORK_V4 : NETWORK_V6;
    return key_of(server, KIND_ADDRESS, peer->ip, len);
}

bool limit_key_address(const struct server *server, const struct peer *peer, uint64_t *key) {
    if (peer_is_unix(peer)) {
        return false;
    }
    *key = key_of_peer(server, peer);
    return true;
}

bool limit_key_subject(const struct exchange *exchange, uint64_t *key) {
    const struct identity *identity = exchange->identity;
    if (!identity || !identity->claims.subject.len) {
        return false;
    }
    struct bytes subject = buf_bytes(&identity->claims.subject);
    enum kind kind = identity->by_key ? KIND_API_KEY : KIND_SUBJECT;
    *key = key_of(exchange->worker->server, kind, subject.at, subject.len);
    return true;
}

uint64_t limit_key_publisher(const struct exchange *exchange) {
    uint64_t key;
    return limit_key_subject(exchange, &key)
               ? key
               : key_of_peer(exchange->worker->server, &exchange->client);
}
