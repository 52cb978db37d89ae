// Certificates of a running server. Files are looked at every few seconds, and read when they have
// changed and then stayed as they are for one look: whoever replaces a certificate and its key
// replaces two files. New connections get what is new; those that are open keep what they have. All
// addresses get what is new, or none does.
#include "server/secure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "net/listen_spec.h"
#include "server/listening.h"
#include "server/secure_address.h"
#include "server/server.h"
#include "server/worker.h"

enum { LOOK_TICKS = 2 };

static int64_t now_seconds(void) {
    return clock_wall_ms() / 1000;
}

bool secure_wanted(const struct settings *settings) {
    const struct listen_settings *sections = settings->listen_sections.items;
    bool wanted = settings->tls_cert.count || settings->tls_self_signed;
    for (size_t i = 0; !wanted && i < settings->listen_sections.count; i++) {
        wanted = sections[i].tls_cert.count;
    }
    return wanted;
}

static int refuse(struct server *server, const char *sentence) {
    snprintf(server->problem, sizeof(server->problem), "%s", sentence);
    return ERR_INVALID;
}

// What is asked for together must make sense together. `secure` addresses speak TLS.
static int check_settings(struct server *server, size_t secure) {
    const struct settings *settings = server->settings;
    bool wanted = settings->tls_cert.count || settings->tls_self_signed;
    if (settings->tls_self_signed && settings->tls_cert.count) {
        return refuse(server, "--tls-self-signed is for where there is no --tls-cert: drop one");
    }
    if (settings->tls_key.count && !settings->tls_cert.count) {
        return refuse(server, "--tls-key without --tls-cert: name the certificate too");
    }
    if (!secure && wanted) {
        return refuse(server, "there is a certificate, but every address says http://: write "
                              "--listen https://ADDRESS");
    }
    bool asks = settings->tls_client_ca || settings->tls_client_auth == CLIENTS_REQUIRED ||
                settings->tls_client_auth == CLIENTS_OPTIONAL;
    if (!secure && (settings->redirect_http || settings->hsts_ms || asks)) {
        return refuse(server, "--redirect-http, --hsts, --tls-client-ca and --tls-client-auth are "
                              "for a server with certificates: name one with --tls-cert FILE");
    }
    if (settings->redirect_http && secure == listening_wanted(settings)) {
        return refuse(server, "--redirect-http needs an address that says http://");
    }
    return 0;
}

// --- the sets: one for all addresses that ask for the same ---

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(const struct texts *a, const struct texts *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = same_text(a->items[i], b->items[i]);
    }
    return same;
}

static bool same_wish(const struct tls_settings *a, const struct tls_settings *b) {
    return same_texts(a->certs, b->certs) && same_texts(a->keys, b->keys) &&
           same_text(a->client_ca, b->client_ca) && a->client_optional == b->client_optional &&
           a->min_version == b->min_version && a->protocols == b->protocols;
}

static struct secure_set *find_set(struct secure *secure, const struct tls_settings *wish) {
    for (size_t i = 0; i < secure->set_count; i++) {
        if (same_wish(&secure->sets[i].settings, wish)) {
            return &secure->sets[i];
        }
    }
    return NULL;
}

static int add_set(struct server *server, const struct secure_wish *wish) {
    struct secure *secure = &server->secure;
    const struct tls_settings *settings = &wish->settings;
    if (settings->certs->count == 0 && settings->certs != &secure->self_signed) {
        return refuse(server,
                      "an address says https://, but there is no certificate: name one with "
                      "--tls-cert FILE, or try --tls-self-signed");
    }
    struct secure_set *set = &secure->sets[secure->set_count];
    *set = (struct secure_set){.settings = *settings, .section = wish->section};
    int rc = tls_source_init(&set->source, now_seconds());
    secure->set_count += rc == 0;
    return rc;
}

static int open_sets(struct server *server) {
    struct secure *secure = &server->secure;
    size_t addresses = listening_wanted(server->settings);
    struct listen_spec spec;
    struct secure_wish wish;
    size_t count = 0;
    int rc = 0;
    secure->sets = calloc(addresses, sizeof(*secure->sets));
    if (!secure->sets) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; rc == 0 && i < addresses; i++) {
        const char *text = listening_text(server->settings, i);
        (void)listen_spec_parse(text, &spec);
        rc = secure_address_wish(server, text, &spec, &wish);
        count += rc == 0 && wish.tls;
        if (rc == 0 && wish.tls && !find_set(secure, &wish.settings)) {
            rc = add_set(server, &wish);
        }
    }
    return rc ? rc : check_settings(server, count);
}

struct tls_source *secure_source(struct server *server, const char *text,
                                 const struct listen_spec *spec, bool *http2) {
    struct secure_wish wish;
    if (secure_address_wish(server, text, spec, &wish)) {
        return NULL; // not after addresses_check
    }
    *http2 = wish.http2;
    return wish.tls ? &find_set(&server->secure, &wish.settings)->source : NULL;
}

// --- loading ---

static void add_stamp(struct secure_stamp *sum, const char *path) {
    struct stat status = {0};
    if (path && stat(path, &status) == 0) {
        // A rename brings another inode, a write another time or size.
        sum->seconds = sum->seconds * 31 + (int64_t)status.st_mtime;
        sum->size = sum->size * 31 + (int64_t)status.st_size;
        sum->inode = sum->inode * 31 + (uint64_t)status.st_ino;
#ifdef __linux__
        sum->nanoseconds = sum->nanoseconds * 31 + status.st_mtim.tv_nsec;
#endif
    }
}

static void add_stamps(struct secure_stamp *sum, const struct texts *paths) {
    for (size_t i = 0; i < paths->count; i++) {
        add_stamp(sum, paths->items[i]);
    }
}

static struct secure_stamp look(const struct secure *secure) {
    struct secure_stamp sum = {0};
    for (size_t i = 0; i < secure->set_count; i++) {
        add_stamps(&sum, secure->sets[i].settings.certs);
        add_stamps(&sum, secure->sets[i].settings.keys);
        add_stamp(&sum, secure->sets[i].settings.client_ca);
    }
    return sum;
}

static bool same(const struct secure_stamp *a, const struct secure_stamp *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

// Reads what one set needs; a sentence says which address it is about.
static int load_set(struct secure_set *set, struct tls_certs **out, char problem[TLS_PROBLEM_MAX]) {
    char sentence[TLS_PROBLEM_MAX] = "";
    int rc = tls_certs_create(out, &set->settings, &set->source.tickets, sentence);
    if (rc && set->section) {
        snprintf(problem, TLS_PROBLEM_MAX, "[listen \"%.60s\"]: %.560s", set->section, sentence);
    } else if (rc) {
        snprintf(problem, TLS_PROBLEM_MAX, "%s", sentence);
    }
    return rc;
}

int secure_prepare(struct server *server, struct secure_load *load, char problem[TLS_PROBLEM_MAX]) {
    struct secure *secure = &server->secure;
    int rc = 0;
    *load = (struct secure_load){.seen = look(secure)};
    load->certs = calloc(secure->set_count + 1, sizeof(struct tls_certs *));
    load->count = load->certs ? secure->set_count : 0;
    for (size_t i = 0; rc == 0 && i < load->count; i++) {
        rc = load_set(&secure->sets[i], &load->certs[i], problem);
    }
    secure->seen = load->seen;
    if (rc) {
        secure->loaded = load->seen; // what cannot be used is not read again before it changes
    }
    return load->certs ? rc : ERR_NOMEM;
}

void secure_commit(struct server *server, struct secure_load *load) {
    server->secure.loaded = load->seen;
    for (size_t i = 0; i < load->count; i++) {
        tls_source_replace(&server->secure.sets[i].source, load->certs[i]);
    }
    load->count = 0;
    secure_discard(load);
}

void secure_discard(struct secure_load *load) {
    while (load->count) {
        tls_certs_unref(load->certs[--load->count]);
    }
    free(load->certs);
    load->certs = NULL;
}

// All of them, or none.
static int load_all(struct server *server, char problem[TLS_PROBLEM_MAX]) {
    struct secure_load load;
    int rc = secure_prepare(server, &load, problem);
    if (rc) {
        secure_discard(&load);
    } else {
        secure_commit(server, &load);
    }
    return rc;
}

static bool needs_self_signed(const struct secure *secure) {
    bool needs = false;
    for (size_t i = 0; i < secure->set_count; i++) {
        needs = needs || secure->sets[i].settings.certs == &secure->self_signed;
    }
    return needs;
}

// With `make`, the certificate of --tls-self-signed is made where there is none yet; without it, what
// needs that one is not read.
static int open_all(struct server *server, bool make) {
    struct secure *secure = &server->secure;
    int rc = open_sets(server);
    if (rc || secure->set_count == 0 || (!make && needs_self_signed(secure))) {
        return rc;
    }
    rc = needs_self_signed(secure) ? secure_prepare_self_signed(server) : 0;
    return rc ? rc : load_all(server, server->problem);
}

int secure_open(struct server *server) {
    int rc = open_all(server, true);
    if (rc == 0 && server->settings->hsts_ms) {
        snprintf(server->secure.hsts, sizeof(server->secure.hsts), "max-age=%lld",
                 (long long)server->settings->hsts_ms / 1000);
    }
    return rc;
}

void secure_close(struct server *server) {
    struct secure *secure = &server->secure;
    while (secure->set_count) {
        tls_source_finish(&secure->sets[--secure->set_count].source);
    }
    free(secure->sets);
    secure->sets = NULL;
    for (size_t i = 0; i < secure->self_signed.count; i++) {
        free(secure->self_signed.items[i]);
    }
    free(secure->self_signed.items);
    secure->self_signed = (struct texts){0};
}

int secure_check(struct server *server) {
    int rc = open_all(server, false); // checking makes nothing
    secure_close(server);
    return rc;
}

void secure_tell_loaded(const struct server *server) {
    if (server->secure.set_count) {
        log_write(LOG_INFO, "certificates loaded: new connections get them");
    }
}

int secure_reload(struct server *server, char problem[TLS_PROBLEM_MAX]) {
    int rc = load_all(server, problem);
    if (rc) {
        log_write(LOG_ERROR, "the new certificates are not used, those before go on: %s", problem);
    } else {
        secure_tell_loaded(server);
    }
    return rc;
}

void secure_tick(struct server *server) {
    struct secure *secure = &server->secure;
    char problem[TLS_PROBLEM_MAX];
    if (secure->set_count == 0) {
        return;
    }
    for (size_t i = 0; i < secure->set_count; i++) {
        tls_tickets_tick(&secure->sets[i].source.tickets, now_seconds());
    }
    if (++secure->ticks % LOOK_TICKS) {
        return;
    }
    struct secure_stamp now = look(secure);
    bool settled = same(&now, &secure->seen);
    secure->seen = now;
    if (settled && !same(&now, &secure->loaded)) {
        (void)secure_reload(server, problem);
    }
}
