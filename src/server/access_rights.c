// What becomes of rights over time, and what they are worth beside those that everyone has: whether a
// key is still there, and who may hear what is private. Refuses nothing by itself.
#include "server/access.h"
#include "server/worker.h"

struct identity *access_key_now(struct server *server, const unsigned char *hash) {
    struct rules *rules = access_borrow(&server->access);
    struct identity *now = identity_ref(api_keys_find(rules->api_keys, hash));
    rules_unref(rules);
    return now;
}

static bool has_expired(const struct server *server, const struct identity *identity) {
    return access_lasts_ms(server, identity) == 0;
}

bool access_still(struct exchange *exchange) {
    struct server *server = exchange->worker->server;
    struct identity *identity = exchange->identity;
    if (identity && identity->by_key) {
        exchange->identity = access_key_now(server, identity->key);
        identity_unref(identity);
        identity = exchange->identity;
        return identity && !has_expired(server, identity);
    }
    return !identity || !has_expired(server, identity);
}

void access_make_privy(struct server *server, const struct identity *identity,
                       struct selection *selection) {
    for (uint32_t i = 0; server->access.on && identity && i < selection->count; i++) {
        if (grants_cover(&identity->claims.grants, selection->items[i].name.text,
                         RIGHT_SUBSCRIBE)) {
            selection_set_privy(selection, i);
        }
    }
}

const char access_private_problem[] =
    "this server has no keys, so everyone hears everything; a private event needs listeners with "
    "tokens: start it with --jwt-secret-file, --jwt-key, --api-keys-file or --auth-url";

bool access_keeps_private(const struct server *server) {
    return server->access.on;
}
