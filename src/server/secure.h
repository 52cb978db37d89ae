// The TLS of a server: its certificates, from the settings to the workers, and their replacement
// while it runs. The main thread's, except where it says otherwise.
#ifndef SERVER_SECURE_H
#define SERVER_SECURE_H

#include "net/tls_source.h"

struct listen_spec;
struct server;
struct settings;

// What a file looked like when it was last read or looked at.
struct secure_stamp {
    int64_t seconds, nanoseconds, size;
    uint64_t inode;
};

// What some of the addresses speak TLS with: all those that ask for the same.
struct secure_set {
    struct tls_source source;
    struct tls_settings settings;
    const char *section; // of the first address that has it, or NULL
};

struct secure {
    struct secure_set *sets;
    size_t set_count;         // 0: nobody speaks TLS
    struct texts self_signed; // the file that was made, in the place of --tls-cert
    char hsts[64];            // a header's value, or empty
    unsigned redirect_port;   // where --redirect-http sends to; 0: nowhere
    unsigned ticks;
    struct secure_stamp loaded, seen; // of all the files together
};

// Whether the settings name certificates, for all addresses or for one.
bool secure_wanted(const struct settings *settings);

// Whether the settings can be used, after addresses_check: 0, or a negative error with
// server->problem set.
int secure_check(struct server *server);

// Reads the certificates, after addresses_check: 0, or a negative error with server->problem set.
int secure_open(struct server *server);
void secure_close(struct server *server);

// What the address that this text of --listen names, as it was parsed, speaks TLS with (NULL: it does
// not), and whether it speaks HTTP/2. Once it is open.
struct tls_source *secure_source(struct server *server, const char *text,
                                 const struct listen_spec *spec, bool *http2);

// Makes the certificate of --tls-self-signed, or finds it: 0, or a negative error with server->problem
// set.
int secure_prepare_self_signed(struct server *server);

// New certificates beside those in force.
struct secure_load {
    struct tls_certs **certs; // one for each set
    size_t count;
    struct secure_stamp seen;
};

// Reads the files again: 0, or a negative error and a sentence. Either a commit, which cannot fail, or
// secure_discard follows, which is harmless after both and of an empty one.
int secure_prepare(struct server *server, struct secure_load *load, char problem[TLS_PROBLEM_MAX]);
void secure_commit(struct server *server, struct secure_load *load);
void secure_discard(struct secure_load *load);
void secure_tell_loaded(const struct server *server); // in the log, if there are any

// Reads the files again: 0, or a negative error and a sentence, which is logged too, and what was in
// force stays.
int secure_reload(struct server *server, char problem[TLS_PROBLEM_MAX]);

// Once a second: new ticket keys, and files that have changed.
void secure_tick(struct server *server);

#endif
