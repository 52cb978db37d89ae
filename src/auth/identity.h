// Who somebody is, as their token, or the line of their API key, said: the claims, shared by the
// request, the streams that it opened and the caches, until the last lets go. Immutable; any thread.
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include <stdatomic.h>

#include "auth/api_key.h"
#include "auth/claims.h"

struct identity {
    atomic_uint refs;
    struct claims claims;
    bool by_key; // an API key's, whose name is the subject
    unsigned char key[API_KEY_HASH];
};

// Takes the claims over. With one reference, the caller's; NULL when there is no memory, and then the
// claims are gone as well.
struct identity *identity_create(struct claims *claims);

// The same, of the bearer of the API key that has this hash.
struct identity *identity_create_of_key(struct claims *claims,
                                        const unsigned char hash[API_KEY_HASH]);

// Whether it is of the API key that the other is of, perhaps as another file had it.
bool identity_same_key(const struct identity *a, const struct identity *b);

// What people are told that it is: "token" or "API key".
static inline const char *identity_kind(const struct identity *identity) {
    return identity->by_key ? "API key" : "token";
}

struct identity *identity_ref(struct identity *identity);

// NULL is nobody, and harmless.
void identity_unref(struct identity *identity);

#endif
