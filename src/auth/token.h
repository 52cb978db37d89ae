// A signed token (a JSON Web Token in compact form, RFC 7519): from its text to its claims, when one
// of the keys made the signature. What the claims say is not looked at here.
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "auth/key_set.h"

enum { TOKEN_MAX = 8192, TOKEN_DEPTH_MAX = 16 };

enum token_fault {
    TOKEN_FINE,
    TOKEN_MALFORMED,   // it is no token
    TOKEN_ALGORITHM,   // it is signed in a way that is not accepted
    TOKEN_UNKNOWN_KEY, // by a key that is not in the set: a fresh set may have it
    TOKEN_FORGED,      // the signature is wrong
    TOKEN_NOMEM,
};

// What is wrong, for people; it holds nothing of the token.
const char *token_fault_text(enum token_fault fault);

// Checks the signature. *claims is a JSON object, valid as long as `room`, which is the caller's and
// whose content is dropped, stays as it is. Any thread.
enum token_fault token_open(const struct key_set *keys, struct bytes text, struct buf *room,
                            struct bytes *claims);

#endif
