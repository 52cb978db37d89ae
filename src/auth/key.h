// One key that tokens may be signed with, and the check of a signature. OpenSSL does the
// cryptography; here is only how tokens write it down. Immutable after it was made: any thread may
// verify with it at the same time.
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include <openssl/evp.h>

#include "auth/algorithm.h"
#include "base/buf.h"

enum { KEY_ID_MAX = 256, KEY_RSA_BITS_MIN = 2048, KEY_SECRET_MIN = 32 };

struct key {
    enum key_family family;
    const struct algorithm *only; // the one algorithm that it is for; NULL: any of its family
    EVP_PKEY *pkey;               // of a public key
    struct bytes secret;          // of a secret; owned
    struct bytes id;              // owned; empty: it has none
};

// Each makes a key: 0, ERR_NOMEM, or ERR_INVALID and *problem says what is wrong with it, for people.

// A secret that both sides know: at least KEY_SECRET_MIN bytes.
int key_from_secret(struct key *key, struct bytes secret, const char **problem);

// The first public key or certificate in PEM text. A private key is refused: it has no business here.
int key_from_pem(struct key *key, struct bytes pem, const char **problem);

// A public key of OpenSSL's, which it takes over in any case.
int key_from_pkey(struct key *key, EVP_PKEY *pkey, const char **problem);

void key_finish(struct key *key);

// Whether the signature over `text` is right: never for an algorithm of another family, nor for a
// digest that is wider than a secret.
bool key_verify(const struct key *key, const struct algorithm *algorithm, struct bytes text,
                struct bytes signature);

#endif
