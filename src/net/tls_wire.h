// What lies between OpenSSL and a socket: a BIO that takes an encrypted record whole or not at all.
// What the socket does not take of one is kept here until it does, so that nobody above has to come
// back with the same bytes. It keeps no more than TLS_WIRE_MAX. One thread: its connection's.
#ifndef NET_TLS_WIRE_H
#define NET_TLS_WIRE_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TLS_WIRE_MAX = 40 * 1024, // two records, and a little for alerts
    TLS_WIRE_READ = 32 * 1024 // the most that is read in one turn
};

struct tls_wire {
    int fd;           // non-blocking, borrowed
    uint32_t at, len; // what is left of the rest
    char *rest;       // NULL when everything has left
    uint32_t budget;  // how much may still be read in this turn
    bool emptied;     // in this turn a read found less than it asked for
    bool ended;       // and then nothing, for ever
};

// The kind of BIO; NULL without memory. Must outlive every BIO of it.
BIO_METHOD *tls_wire_method(void);

// A BIO on the wire, which must outlive it; NULL without memory.
BIO *tls_wire_bio(BIO_METHOD *method, struct tls_wire *wire);

// A new turn: input may be read again, a bounded amount.
void tls_wire_begin(struct tls_wire *wire);

// Sends what is kept, as far as it goes: 0 or ERR_GONE.
int tls_wire_flush(struct tls_wire *wire);

// Forgets what is kept.
void tls_wire_drop(struct tls_wire *wire);

#endif
