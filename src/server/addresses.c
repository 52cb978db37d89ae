// Binding. Without tokens anyone who can connect may listen and publish, so an address that others
// can reach has to be asked for twice.
#include "server/addresses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "net/address.h"
#include "server/worker.h"

static int refuse(struct server *server, const char *text, const char *why) {
    snprintf(server->problem, sizeof(server->problem), "cannot listen on %s: %s", text, why);
    return ERR_INVALID;
}

// A socket of its own for each worker, or the same one under a descriptor of its own.
static int bind_for(struct address *address, const struct listener_settings *options, bool share,
                    int first) {
    return first < 0 || share ? listener_bind(address, share, options) : dup(first);
}

static int bind_for_workers(struct server *server, struct address *address, bool tls) {
    const struct settings *settings = server->settings;
    struct listener_settings options = {
        .backlog = (int)settings->backlog,
        .unsent_max = (int)settings->socket_buffer,
        .dead_peer_ms = (int)settings->dead_peer_ms,
    };
    bool share = server->worker_count > 1 && listener_can_share();
    if (share && listener_probe(address)) {
        return ERR_SYSTEM;
    }
    int fd = -1;
    for (unsigned i = 0; i < server->worker_count; i++) {
        fd = bind_for(address, &options, share, fd);
        if (fd < 0) {
            return ERR_SYSTEM;
        }
        if (worker_listen(server->workers[i], fd, tls)) {
            close(fd);
            return ERR_SYSTEM;
        }
    }
    return 0;
}

// Without the scheme, which secure_address() has read.
static const char *place_of(const char *text) {
    const char *scheme = strstr(text, "://");
    bool known = scheme && (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0);
    return known ? scheme + 3 : text;
}

static int check_one(struct server *server, const char *text, struct address *address) {
    const char *wrong = address_parse(place_of(text), address);
    if (wrong) {
        return refuse(server, text, wrong);
    }
    if (!address_is_local(address) && !server->settings->insecure) {
        return refuse(
            server, text,
            "others could reach it, and freshet checks no tokens yet: anyone could listen "
            "and publish. Listen on 127.0.0.1, or say --insecure if something in front "
            "of it protects it");
    }
    return 0;
}

int addresses_check(struct server *server) {
    const struct texts *listen = &server->settings->listen;
    struct address address;
    int rc = 0;
    if (listen->count == 0 || listen->count > WORKER_LISTENERS_MAX) {
        return refuse(server, "nothing", "name from 1 to 16 addresses with --listen");
    }
    for (size_t i = 0; rc == 0 && i < listen->count; i++) {
        rc = check_one(server, listen->items[i], &address);
    }
    return rc;
}

static int open_one(struct server *server, size_t place) {
    const char *text = server->settings->listen.items[place];
    struct address *address = &server->addresses[place];
    bool tls = secure_address(server->settings, text);
    int rc = check_one(server, text, address);
    if (rc == 0 && bind_for_workers(server, address, tls)) {
        (void)refuse(server, text,
                     errno == EADDRINUSE
                         ? "another program has it; stop that or choose another port"
                         : strerror(errno));
        return ERR_SYSTEM;
    }
    return rc;
}

// Plain requests go to the first address that speaks TLS.
static void note_redirect(struct server *server) {
    const struct settings *settings = server->settings;
    for (size_t i = settings->listen.count; settings->redirect_http && i-- > 0;) {
        if (secure_address(settings, settings->listen.items[i])) {
            server->secure.redirect_port = address_port(&server->addresses[i]);
        }
    }
}

int addresses_open(struct server *server) {
    size_t count = server->settings->listen.count;
    int rc = addresses_check(server);
    if (rc) {
        return rc;
    }
    server->addresses = calloc(count, sizeof(*server->addresses));
    if (!server->addresses) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = open_one(server, i);
    }
    note_redirect(server);
    return rc;
}

void addresses_close(struct server *server) {
    free(server->addresses);
    server->addresses = NULL;
}

void server_addresses(const struct server *server, void (*each)(void *ctx, const char *url),
                      void *ctx) {
    for (size_t i = 0; i < server->settings->listen.count; i++) {
        char text[ADDRESS_TEXT_MAX], url[ADDRESS_TEXT_MAX + 16];
        bool tls = secure_address(server->settings, server->settings->listen.items[i]);
        address_format(&server->addresses[i], text);
        snprintf(url, sizeof(url), "%s://%s", tls ? "https" : "http", text);
        each(ctx, url);
    }
}
