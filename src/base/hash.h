// A keyed hash for names that strangers choose: SipHash-1-3. With a random key nobody outside can
// make a table degenerate.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

#endif
