// Claims with a count of those who hold them.
#include "auth/identity.h"

#include <stdlib.h>
#include <string.h>

struct identity *identity_create(struct claims *claims) {
    struct identity *identity = malloc(sizeof(*identity));
    if (!identity) {
        claims_finish(claims);
        return NULL;
    }
    atomic_init(&identity->refs, 1);
    identity->claims = *claims;
    identity->by_key = false;
    return identity;
}

struct identity *identity_create_of_key(struct claims *claims,
                                        const unsigned char hash[API_KEY_HASH]) {
    struct identity *identity = identity_create(claims);
    if (identity) {
        identity->by_key = true;
        memcpy(identity->key, hash, API_KEY_HASH);
    }
    return identity;
}

bool identity_same_key(const struct identity *a, const struct identity *b) {
    return a->by_key && b->by_key && memcmp(a->key, b->key, API_KEY_HASH) == 0;
}

struct identity *identity_ref(struct identity *identity) {
    if (identity) {
        atomic_fetch_add_explicit(&identity->refs, 1, memory_order_relaxed);
    }
    return identity;
}

void identity_unref(struct identity *identity) {
    if (identity && atomic_fetch_sub_explicit(&identity->refs, 1, memory_order_acq_rel) == 1) {
        claims_finish(&identity->claims);
        free(identity);
    }
}
