// The signature algorithms of tokens (RFC 7518, RFC 8037), as a table. `none` is not in it, and
// nothing that is not in it exists.
#ifndef AUTH_ALGORITHM_H
#define AUTH_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

// What a key is made of. An algorithm belongs to one family, and a key never leaves its own: a public
// key is not a secret, whatever the token's header says.
enum key_family { KEY_SECRET, KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };

struct algorithm {
    const char *name; // in a token's header
    enum key_family family;
    const char *digest; // NULL: the family's own
    size_t size;        // of the digest, and of each half of an elliptic signature
    bool pss;
};

// NULL when there is none of that name.
const struct algorithm *algorithm_find(struct bytes name);

#endif
