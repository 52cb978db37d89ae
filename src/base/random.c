// SplitMix64 for jitter; getrandom(2) or its like for seeds.
#include "base/random.h"

#include <sys/random.h>

#include "base/error.h"

int random_seed(void *out, size_t len) {
    char *at = out;
    for (size_t done = 0; done < len;) {
        size_t part = len - done < 256 ? len - done : 256; // getentropy's limit a call
        if (getentropy(at + done, part)) {
            return ERR_SYSTEM;
        }
        done += part;
    }
    return 0;
}

uint64_t random_next(struct random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

int64_t random_between(struct random *random, int64_t low, int64_t high) {
    uint64_t span = (uint64_t)(high - low) + 1;
    return span ? low + (int64_t)(random_next(random) % span) : (int64_t)random_next(random);
}
