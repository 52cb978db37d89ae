// From an address to the workers: sockets of their own where the system spreads connections over
// them (TCP on Linux), and one that they share everywhere else. With one that is shared, all of
// them wake for a connection and the first gets it; for streams, which stay, that is no cost.
#include "server/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "server/worker.h"

static struct listener_settings options_of(const struct settings *settings) {
    return (struct listener_settings){
        .backlog = (int)settings->backlog,
        .unsent_max = (int)settings->socket_buffer,
        .dead_peer_ms = (int)settings->dead_peer_ms,
    };
}

// The descriptor passes to the worker, or is closed.
static int give(struct worker *worker, const struct listening *at, int fd) {
    if (fd < 0 || worker_listen(worker, &at->spec, fd)) {
        int error = errno;
        if (fd >= 0) {
            close(fd);
        }
        errno = error;
        return ERR_SYSTEM;
    }
    return 0;
}

// One socket for all workers, each under a descriptor of its own: whoever is first accepts.
static int give_to_all(struct server *server, const struct listening *at, int fd) {
    int rc = 0;
    for (unsigned i = 1; rc == 0 && i < server->worker_count; i++) {
        rc = give(server->workers[i], at, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    }
    if (rc) {
        int error = errno;
        close(fd);
        errno = error;
        return rc;
    }
    return give(server->workers[0], at, fd);
}

static int bind_shared(struct server *server, struct listening *at,
                       const struct listener_settings *options) {
    if (listener_probe(&at->address)) {
        return ERR_SYSTEM;
    }
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < server->worker_count; i++) {
        rc = give(server->workers[i], at, listener_bind(&at->address, true, options));
    }
    return rc;
}

static int bind_tcp(struct server *server, struct listening *at) {
    struct listener_settings options = options_of(server->settings);
    if (server->worker_count > 1 && listener_can_share()) {
        return bind_shared(server, at, &options);
    }
    int fd = listener_bind(&at->address, false, &options);
    return fd < 0 ? ERR_SYSTEM : give_to_all(server, at, fd);
}

int listening_adopt(struct server *server, const struct listening *at, int fd) {
    struct listener_settings options = options_of(server->settings);
    if (listener_adopt(fd, &at->address, &options)) {
        int error = errno;
        close(fd);
        errno = error;
        return ERR_SYSTEM;
    }
    return give_to_all(server, at, fd);
}

static int bind_unix(struct server *server, struct listening *at) {
    at->access.mode = at->spec.mode;
    int fd = unix_socket_bind(&at->address, &at->access, &at->file);
    return fd < 0 ? ERR_SYSTEM : listening_adopt(server, at, fd);
}

int listening_bind(struct server *server, struct listening *at) {
    return listen_spec_is_unix(&at->spec) ? bind_unix(server, at) : bind_tcp(server, at);
}
