// JSON Web Keys (RFC 7517), public ones and secrets, into keys.
#ifndef AUTH_JWK_H
#define AUTH_JWK_H

#include "auth/key.h"

// One key, as a slice that json_validate accepted or gave out. 0; ERR_NOMEM; ERR_INVALID and *problem
// says what is wrong with it; ERR_NOT_FOUND: it is none of ours (it is for encryption, or of a kind
// that nothing here can use), which is no mistake.
int jwk_read(struct key *key, struct bytes jwk, const char **problem);

#endif
