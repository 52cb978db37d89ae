// Binding. Without rules of access anyone who can connect may listen and publish, so an address that others
// can reach has to be asked for twice.
#include "server/addresses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "net/activation.h"
#include "net/listen_spec.h"
#include "server/listening.h"
#include "server/secure_address.h"
#include "server/worker.h"

enum { SHOWN = 100 }; // of what somebody wrote

static int refuse(struct server *server, const char *text, const char *why) {
    snprintf(server->problem, sizeof(server->problem), "cannot listen on %.*s: %s", SHOWN, text,
             why);
    return ERR_INVALID;
}

static const char *why_not(int error, bool is_unix) {
    if (error == EADDRINUSE) {
        return is_unix ? "another program listens there; stop that or choose another path"
                       : "another program has it; stop that or choose another port";
    }
    if (is_unix && error == EEXIST) {
        return "there is a file of that name that is no socket; remove it or choose another path";
    }
    return is_unix && error == EPERM ? "only root may give the file to that owner"
                                     : strerror(error);
}

static int check_admin_reach(struct server *server, const char *text) {
    if (server->settings->admin_token_file) {
        return 0;
    }
    return refuse(server, text,
                  "others could reach what is for administrators. Say who is one with "
                  "--admin-token-file, listen on 127.0.0.1, or say --insecure if something in "
                  "front of it protects it");
}

static int check_reach(struct server *server, const char *text, const struct address *address,
                       bool admin) {
    if (address_is_local(address) || rules_wanted(server->settings) || server->settings->insecure) {
        return 0;
    }
    if (admin) {
        return check_admin_reach(server, text);
    }
    return refuse(server, text,
                  "others could reach it, and with no tokens configured anyone could listen and "
                  "publish. Say who may with --jwt-secret-file or --jwt-key, listen on "
                  "127.0.0.1, or say --insecure if something in front of it protects it");
}

static int check_one(struct server *server, const char *text, struct listen_spec *spec,
                     bool admin) {
    const char *wrong = listen_spec_parse(text, spec);
    if (wrong) {
        return refuse(server, text, wrong);
    }
    struct secure_wish wish;
    int rc = secure_address_wish(server, text, spec, &wish);
    if (rc) {
        return rc;
    }
    spec->tls = wish.tls;
    if (spec->proxy && server->live->trusted_count == 0) {
        return refuse(server, text,
                      "with ;proxy only trusted proxies may connect, and none is named; say who "
                      "they are with --trusted-proxies");
    }
    return spec->handed_over ? 0 : check_reach(server, text, &spec->address, admin);
}

int addresses_check(struct server *server) {
    const struct settings *settings = server->settings;
    struct listen_spec spec;
    int rc = 0;
    if (settings->listen.count == 0 || listening_wanted(settings) > WORKER_LISTENERS_MAX) {
        return refuse(server, "nothing",
                      "name from 1 to 16 addresses with --listen and --admin-listen");
    }
    for (size_t i = 0; rc == 0 && i < listening_wanted(settings); i++) {
        rc = check_one(server, listening_text(settings, i), &spec, i >= settings->listen.count);
    }
    return rc ? rc : secure_address_sections(server);
}

// Room for one more, or NULL with server->problem set.
static struct listening *add(struct server *server, const char *text,
                             const struct listen_spec *spec) {
    if (server->listening_count == WORKER_LISTENERS_MAX) {
        (void)refuse(server, text, "with it there would be more than 16 addresses");
        return NULL;
    }
    struct listening *at = &server->listening[server->listening_count++];
    *at = (struct listening){.spec = *spec, .address = spec->address};
    at->source = secure_source(server, text, spec, &at->http2);
    return at;
}

// Where administrators are heard: where it was asked for, and else where only this machine can ask.
static void note_entrance(struct server *server, struct listening *at, bool admin) {
    bool local = address_is_local(&at->address);
    bool apart = server->settings->admin_listen.count > 0;
    at->entrance = admin ? ENTRANCE_ADMIN : local && !apart ? ENTRANCE_LOCAL : ENTRANCE_PUBLIC;
    server->admin_reachable |= admin && !local;
}

static int open_bound(struct server *server, const char *text, const struct listen_spec *spec,
                      bool admin) {
    struct listening *at = add(server, text, spec);
    if (!at) {
        return ERR_INVALID;
    }
    bool is_unix = listen_spec_is_unix(spec);
    const char *wrong = unix_socket_owner(spec->user, spec->group, &at->access);
    if (wrong) {
        return refuse(server, text, wrong);
    }
    if (listening_bind(server, at)) {
        (void)refuse(server, text, why_not(errno, is_unix));
        return ERR_SYSTEM;
    }
    note_entrance(server, at, admin);
    return 0;
}

static int open_handed_over(struct server *server, const char *text, const struct listen_spec *spec,
                            int fd, bool admin) {
    struct listening *at = add(server, text, spec);
    if (!at) {
        return ERR_INVALID;
    }
    const char *wrong = activation_check(fd, &at->address);
    if (wrong) {
        return refuse(server, text, wrong);
    }
    int rc = check_reach(server, text, &at->address, admin);
    note_entrance(server, at, admin);
    if (rc == 0 && listening_adopt(server, at, fd)) {
        (void)refuse(server, text, strerror(errno));
        rc = ERR_SYSTEM;
    }
    return rc;
}

// What was handed over and is not yet listened on.
struct handed_over {
    struct activation activation;
    bool taken[ACTIVATION_MAX];
};

static int open_all_handed_over(struct server *server, const char *text,
                                const struct listen_spec *spec, struct handed_over *from,
                                bool admin) {
    int rc = 0, found = 0;
    for (int i = 0; rc == 0 && i < from->activation.count; i++) {
        bool meant = spec->name.len == 0 || bytes_equal(spec->name, from->activation.names[i]);
        if (meant && !from->taken[i]) {
            from->taken[i] = true;
            found++;
            rc = open_handed_over(server, text, spec, ACTIVATION_FIRST + i, admin);
        }
    }
    if (rc == 0 && found == 0) {
        return refuse(server, text,
                      "the service manager handed over no socket of that kind; it takes a .socket "
                      "unit, and FileDescriptorName= in it for systemd:NAME");
    }
    return rc;
}

static int find_handed_over(struct server *server, struct handed_over *out) {
    struct activation_words words = {
        .pid = getenv("LISTEN_PID"),
        .fds = getenv("LISTEN_FDS"),
        .names = getenv("LISTEN_FDNAMES"),
    };
    *out = (struct handed_over){0};
    const char *wrong = activation_read(&words, getpid(), &out->activation);
    return wrong ? refuse(server, "systemd", wrong) : 0;
}

static void warn_of_the_rest(const struct handed_over *from) {
    for (int i = 0; i < from->activation.count; i++) {
        struct bytes name = from->activation.names[i];
        if (!from->taken[i]) {
            log_write(LOG_WARN,
                      "nobody listens on socket %d that was handed over: name it with --listen "
                      "systemd:%.*s",
                      i + 1, (int)name.len, name.len ? name.at : "");
        }
    }
}

static int open_one(struct server *server, const char *text, struct handed_over *from, bool admin) {
    struct listen_spec spec;
    int rc = check_one(server, text, &spec, admin);
    if (rc) {
        return rc;
    }
    return spec.handed_over ? open_all_handed_over(server, text, &spec, from, admin)
                            : open_bound(server, text, &spec, admin);
}

// Plain requests go to the first address that speaks TLS.
static void note_redirect(struct server *server) {
    for (size_t i = server->listening_count; server->settings->redirect_http && i-- > 0;) {
        const struct listening *at = &server->listening[i];
        if (at->spec.tls && at->entrance != ENTRANCE_ADMIN &&
            at->address.any.sa_family != AF_UNIX) {
            server->secure.redirect_port = address_port(&at->address);
        }
    }
}

int addresses_open(struct server *server) {
    const struct settings *settings = server->settings;
    struct handed_over from;
    int rc = find_handed_over(server, &from);
    if (rc) {
        return rc;
    }
    server->listening = calloc(WORKER_LISTENERS_MAX, sizeof(*server->listening));
    if (!server->listening) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; rc == 0 && i < listening_wanted(settings); i++) {
        rc = open_one(server, listening_text(settings, i), &from, i >= settings->listen.count);
    }
    if (rc == 0) {
        warn_of_the_rest(&from);
        note_redirect(server);
    }
    return rc;
}

void addresses_remove_files(struct server *server) {
    for (size_t i = 0; i < server->listening_count; i++) {
        unix_socket_remove(&server->listening[i].file);
    }
}

void addresses_close(struct server *server) {
    free(server->listening);
    server->listening = NULL;
    server->listening_count = 0;
}

void server_addresses(const struct server *server,
                      void (*each)(void *ctx, const char *url, bool admin), void *ctx) {
    for (size_t i = 0; i < server->listening_count; i++) {
        const struct listening *at = &server->listening[i];
        char text[ADDRESS_TEXT_MAX], url[ADDRESS_TEXT_MAX + 8];
        const char *scheme = at->spec.tls ? "https://" : "http://";
        bool is_unix = at->address.any.sa_family == AF_UNIX;
        address_format(&at->address, text);
        snprintf(url, sizeof(url), "%s%s", is_unix ? "" : scheme, text);
        each(ctx, url, at->entrance == ENTRANCE_ADMIN);
    }
}

bool server_hears_admins(const struct server *server) {
    bool heard = false;
    for (size_t i = 0; i < server->listening_count; i++) {
        heard = heard || server->listening[i].entrance != ENTRANCE_PUBLIC;
    }
    return heard;
}
