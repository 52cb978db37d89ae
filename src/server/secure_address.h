// What one address does about TLS and HTTP/2: what the settings of the whole program say, but for
// what a section of the config file says of this address. Pure but for the sentence; any thread,
// before the server runs.
#ifndef SERVER_SECURE_ADDRESS_H
#define SERVER_SECURE_ADDRESS_H

#include <stdbool.h>

#include "net/tls_certs.h"

struct listen_spec;
struct server;

// Borrows from the settings and from server->secure.
struct secure_wish {
    const char *section; // what it calls the address; NULL: none says anything of it
    bool tls, http2;
    struct tls_settings settings; // if it speaks TLS
};

// Of the address that this text of --listen names, as it was parsed. 0, or ERR_INVALID with
// server->problem set.
int secure_address_wish(struct server *server, const char *text, const struct listen_spec *spec,
                        struct secure_wish *out);

// Whether every section is of an address that is listened on: 0, or ERR_INVALID with server->problem
// set. The texts of --listen have been parsed without a complaint.
int secure_address_sections(struct server *server);

#endif
