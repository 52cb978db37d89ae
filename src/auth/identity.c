// Claims with a count of those who hold them.
#include "auth/identity.h"

#include <stdlib.h>

struct identity *identity_create(struct claims *claims) {
    struct identity *identity = malloc(sizeof(*identity));
    if (!identity) {
        claims_finish(claims);
        return NULL;
    }
    atomic_init(&identity->refs, 1);
    identity->claims = *claims;
    return identity;
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
