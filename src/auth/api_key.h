// An API key: a random text that a backend shows, and of which the server knows only the hash. The
// prefix is there to be recognised: by the server, and by programs that look for secrets where none
// belong. Pure.
#ifndef AUTH_API_KEY_H
#define AUTH_API_KEY_H

#include <stdbool.h>

#include "base/bytes.h"

enum {
    API_KEY_RANDOM = 32, // bytes: nobody can try them all, however fast the hash is
    API_KEY_TEXT = 3 + (API_KEY_RANDOM * 4 + 2) / 3,
    API_KEY_HASH = 32, // SHA-256 of the text
};

// Whether somebody means it to be one.
bool api_key_claims_to_be(struct bytes text);

// The hash of its text. False when it cannot be a key at all; what is too long is not even read.
bool api_key_hash(struct bytes text, unsigned char hash[API_KEY_HASH]);

// A new one: 0, ERR_SYSTEM when there is no randomness, or ERR_NOMEM.
int api_key_make(char text[API_KEY_TEXT]);

#endif
