// Signing a token with a secret, by HS256: for whoever has no library for it at hand.
#ifndef AUTH_SIGN_H
#define AUTH_SIGN_H

#include "base/buf.h"

// Appends the token of these claims, a JSON object: 0, ERR_NOMEM, ERR_TOO_LARGE, or ERR_INVALID when
// the secret is too short to be one.
int sign_claims(struct bytes secret, struct bytes claims, struct buf *out);

#endif
