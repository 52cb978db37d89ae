// A set of certificates with their keys, and everything else that a handshake needs to know. It is
// made whole or not at all and never changes; connections that shake hands hold a reference, so that
// another set can take its place at any time. Creating: any one thread. Using: any thread.
#ifndef NET_TLS_CERTS_H
#define NET_TLS_CERTS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/texts.h"

struct tls_certs;
struct tls_tickets;

enum { TLS_CERTS_MAX = 64, TLS_PROBLEM_MAX = 640 };
enum tls_version { TLS_AT_LEAST_1_2, TLS_AT_LEAST_1_3 };

struct tls_settings {
    const struct texts *certs, *keys; // files; no keys: each is in the file of its certificate
    const char *client_ca;            // file; NULL: clients need no certificate
    bool client_optional;             // they may come without one all the same
    enum tls_version min_version;
    const char *protocols; // for ALPN, the best first, each behind its length
};

// Reads the files. 0, or ERR_INVALID, ERR_SYSTEM or ERR_NOMEM and a sentence in `problem`. Warns in
// the log of what is legal and will hurt. The tickets and the protocols must outlive it; the rest of
// the settings need not.
int tls_certs_create(struct tls_certs **out, const struct tls_settings *settings,
                     struct tls_tickets *tickets, char problem[TLS_PROBLEM_MAX]);

struct tls_certs *tls_certs_ref(struct tls_certs *certs);
void tls_certs_unref(struct tls_certs *certs); // NULL is harmless

// A new server's end of a connection; NULL without memory. The set must outlive its handshake.
SSL *tls_certs_open(struct tls_certs *certs);

#endif
