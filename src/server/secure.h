// The TLS of a server: its certificates, from the settings to the workers, and their replacement
// while it runs. The main thread's, except where it says otherwise.
#ifndef SERVER_SECURE_H
#define SERVER_SECURE_H

#include "net/tls_source.h"

struct server;
struct settings;

enum { SECURE_FILES_MAX = 2 * TLS_CERTS_MAX + 1 };

// What a file looked like when it was last read or looked at.
struct secure_stamp {
    int64_t seconds, nanoseconds, size;
    uint64_t inode;
};

struct secure {
    struct tls_source source;
    struct texts self_signed; // the file that was made, in the place of --tls-cert
    bool on;
    char hsts[64];          // a header's value, or empty
    unsigned redirect_port; // where --redirect-http sends to; 0: nowhere
    unsigned ticks;
    struct secure_stamp loaded, seen; // of all the files together
};

// Whether the settings name certificates.
bool secure_wanted(const struct settings *settings);

// Whether what listens at this text of --listen speaks TLS: it says https://, or there are
// certificates and no address says which it speaks.
bool secure_address(const struct settings *settings, const char *text);

// Whether the settings can be used: 0, or a negative error with server->problem set.
int secure_check(struct server *server);

// Reads the certificates: 0, or a negative error with server->problem set.
int secure_open(struct server *server);
void secure_close(struct server *server);

// For a worker's connections. Any thread.
static inline struct tls_source *secure_source(struct secure *secure) {
    return &secure->source;
}

// Reads the files again: what is wrong with them is logged, and what was in force stays.
void secure_reload(struct server *server);

// Once a second: new ticket keys, and files that have changed.
void secure_tick(struct server *server);

#endif
