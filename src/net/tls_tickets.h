// The keys that session tickets are sealed with: shared by all workers and kept across reloads, so
// that a client resumes wherever it comes back. A ticket that is older than TLS_TICKET_SECONDS is
// worth nothing, and so is a key. Any thread.
#ifndef NET_TLS_TICKETS_H
#define NET_TLS_TICKETS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>

enum {
    TLS_TICKET_KEYS = 3, // the newest seals, all of them open
    TLS_TICKET_ROTATE_SECONDS = 6 * 3600,
    TLS_TICKET_SECONDS = TLS_TICKET_ROTATE_SECONDS * (TLS_TICKET_KEYS - 1),
};

struct tls_ticket_key {
    unsigned char name[16], cipher[32], mac[32];
};

struct tls_tickets {
    pthread_mutex_t lock;
    struct tls_ticket_key keys[TLS_TICKET_KEYS]; // the newest first
    unsigned count;
    int64_t since; // seconds, of the newest
};

// With a first key, as of this time in seconds: 0 or ERR_SYSTEM.
int tls_tickets_init(struct tls_tickets *tickets, int64_t now);
void tls_tickets_finish(struct tls_tickets *tickets);

// Makes a new key when the newest is old enough.
void tls_tickets_tick(struct tls_tickets *tickets, int64_t now);

// Lets the sessions of this context be sealed with them. They must outlive it.
void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context);

#endif
