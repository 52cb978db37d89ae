// Makes tokens for the tests: keys of every kind, and signatures over any header and any claims.
#ifndef TESTS_AUTH_SIGN_H
#define TESTS_AUTH_SIGN_H

#include <openssl/evp.h>

#include "auth/key_set.h"

// A new key: "RSA", "P-256", "P-384", "P-521" or "ED25519".
EVP_PKEY *sign_new_key(const char *kind);

// The public half in PEM, appended and terminated.
void sign_public_pem(EVP_PKEY *pkey, struct buf *out);

// A token of this header and these claims, signed by the algorithm of this name (which the header need
// not tell), appended. `pkey` or `secret`.
void sign_token(const char *header, const char *claims, const char *algorithm, EVP_PKEY *pkey,
                struct bytes secret, struct buf *out);

#endif
