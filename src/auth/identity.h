// Who somebody is, as their token said: the claims, shared by the request, the streams that it opened
// and the caches, until the last lets go. Immutable; any thread.
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include <stdatomic.h>

#include "auth/claims.h"

struct identity {
    atomic_uint refs;
    struct claims claims;
};

// Takes the claims over. With one reference, the caller's; NULL when there is no memory, and then the
// claims are gone as well.
struct identity *identity_create(struct claims *claims);

struct identity *identity_ref(struct identity *identity);

// NULL is nobody, and harmless.
void identity_unref(struct identity *identity);

#endif
