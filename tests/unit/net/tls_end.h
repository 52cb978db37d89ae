// Encrypted connections for tests, on a real loop: the other end of the pair of sockets is OpenSSL's
// client, in the same thread, so that every test decides whose turn it is.
#ifndef TESTS_NET_TLS_END_H
#define TESTS_NET_TLS_END_H

#include "support.h"

#include <openssl/ssl.h>

#include "net/conn.h"
#include "net/tls_source.h"

enum { ENDS_MAX = 40, LARGE = 1 << 20 };

// A connection that notes what it is told, and its peer.
struct end {
    struct conn conn;
    SSL *client;
    int fd; // the client's
    int readable, writable, expired, closed, secured;
    size_t read_size;
    ptrdiff_t last;
    char *got;
    size_t got_len;
    bool close_when_secured, close_when_readable;
};

extern struct conn_loop end_net;
extern struct tls_source end_source;
extern struct end ends[ENDS_MAX]; // those that are open come first

// Around all tests: a certificate, and a client that trusts it.
int ends_prepare(void **state);
int ends_clean(void **state);

// Around each: a loop, and the first end. Afterwards everything must be gone.
int ends_setup(void **state);
int ends_teardown(void **state);

void end_open(struct end *end);

// Shakes hands; 1, or what the client's last attempt said.
int end_shake(struct end *end);

void end_turns(int count);

// A clock that stands still, so that deadlines need no waiting.
void end_tick_at(int64_t now);

// Reads the certificate again into a new set.
int ends_load(void);

#endif
