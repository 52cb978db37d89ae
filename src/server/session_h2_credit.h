// What a peer may ask for without anything coming of it. Every frame costs; what is delivered and
// answered earns; time gives a little. Who has nothing left is flooding, whatever sort of frame it
// is made of, so that no sort is forgotten. One for each connection. Pure.
#ifndef SERVER_SESSION_H2_CREDIT_H
#define SERVER_SESSION_H2_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CREDIT_MAX = 1000,
    CREDIT_PER_SECOND = 100,
    CREDIT_FRAME = 1,  // any frame
    CREDIT_RESET = 2,  // one that ends a stream before its time, whoever sends it, beside that
    CREDIT_EARNED = 2, // by a head or data sent: two window updates, a request and its cancelling
};

struct h2_credit {
    int64_t at; // monotonic milliseconds, of the last time that gave
    int32_t left;
};

static inline void h2_credit_init(struct h2_credit *credit, int64_t now) {
    *credit = (struct h2_credit){.at = now, .left = CREDIT_MAX};
}

static inline void h2_credit_earn(struct h2_credit *credit, int32_t by) {
    int32_t left = credit->left + by;
    credit->left = left < CREDIT_MAX ? left : CREDIT_MAX;
}

// False when there is not enough left.
static inline bool h2_credit_spend(struct h2_credit *credit, int64_t now, int32_t by) {
    // Whole seconds only, so that nothing is lost to rounding; not needed while there is plenty.
    if (credit->left < CREDIT_MAX / 2 && now - credit->at >= 1000) {
        int64_t seconds = (now - credit->at) / 1000;
        credit->at += seconds * 1000;
        h2_credit_earn(credit,
                       seconds < CREDIT_MAX ? (int32_t)seconds * CREDIT_PER_SECOND : CREDIT_MAX);
    }
    credit->left -= by;
    return credit->left >= 0;
}

#endif
