// What one --listen says: where to listen, and how. Pure: any thread, nothing is allocated; slices
// point into the text, which must outlive them.
//
//   [http://|https://] PLACE [;OPTION]...
//   PLACE    127.0.0.1:8042, [::1]:8042, :8042, localhost:8042; unix:/run/freshet.sock;
//            systemd or systemd:NAME, the sockets that the service manager hands over
//   OPTION   proxy: connections begin with a PROXY protocol header
//            mode=0660, owner=USER, owner=USER:GROUP, owner=:GROUP: of the file of a Unix socket
#ifndef NET_LISTEN_SPEC_H
#define NET_LISTEN_SPEC_H

#include "net/address.h"

struct listen_spec {
    bool handed_over; // by the service manager
    bool tls;
    bool proxy;
    struct address address; // of one that is not handed over
    struct bytes name;      // of those that are handed over; empty: whatever they are called
    int mode;               // of the file; -1: what the process's umask leaves
    struct bytes user, group;
};

// NULL, or a sentence that says what is wrong.
const char *listen_spec_parse(const char *text, struct listen_spec *out);

static inline bool listen_spec_is_unix(const struct listen_spec *spec) {
    return !spec->handed_over && spec->address.any.sa_family == AF_UNIX;
}

#endif
