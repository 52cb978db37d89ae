// The administrators' token: one secret, from a file, that stands for no subject and for no topics. Only
// its digest is kept. Immutable once it is read; any thread.
#ifndef AUTH_ADMIN_TOKEN_H
#define AUTH_ADMIN_TOKEN_H

#include <stdbool.h>

#include "base/bytes.h"

enum { ADMIN_TOKEN_MIN = 32, ADMIN_TOKEN_MAX = 1024, ADMIN_TOKEN_DIGEST = 32 };

struct admin_token {
    bool on; // there is one
    unsigned char digest[ADMIN_TOKEN_DIGEST];
};

// Reads the file: 0; ERR_NOMEM; or ERR_INVALID, and *why says what is wrong with it, for people.
int admin_token_read(struct admin_token *token, const char *file, const char **why);

// Whether this is it. How long that takes says nothing of how much was right.
bool admin_token_is(const struct admin_token *token, struct bytes text);

#endif
