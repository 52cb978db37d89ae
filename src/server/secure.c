// Certificates of a running server. Files are looked at every few seconds, and read when they have
// changed and then stayed as they are for one look: whoever replaces a certificate and its key
// replaces two files. New connections get what is new; those that are open keep what they have.
#include "server/secure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "net/tls_self_signed.h"
#include "server/server.h"
#include "server/session.h"

enum { LOOK_TICKS = 2 };

static int64_t now_seconds(void) {
    return clock_wall_ms() / 1000;
}

bool secure_wanted(const struct settings *settings) {
    return settings->tls_cert.count || settings->tls_self_signed;
}

static bool says(const char *text, const char *scheme) {
    return strncmp(text, scheme, strlen(scheme)) == 0;
}

bool secure_address(const struct settings *settings, const char *text) {
    if (says(text, "https://")) {
        return true;
    }
    for (size_t i = 0; i < settings->listen.count; i++) {
        if (strstr(settings->listen.items[i], "://")) {
            return false;
        }
    }
    return secure_wanted(settings);
}

static int refuse(struct server *server, const char *sentence) {
    snprintf(server->problem, sizeof(server->problem), "%s", sentence);
    return ERR_INVALID;
}

static size_t count_addresses(const struct settings *settings) {
    size_t count = 0;
    for (size_t i = 0; i < settings->listen.count; i++) {
        count += secure_address(settings, settings->listen.items[i]);
    }
    return count;
}

// What is asked for together must make sense together.
static int check_settings(struct server *server) {
    const struct settings *settings = server->settings;
    size_t secure = count_addresses(settings);
    if (settings->tls_self_signed && settings->tls_cert.count) {
        return refuse(server, "--tls-self-signed is for where there is no --tls-cert: drop one");
    }
    if (settings->tls_key.count && !settings->tls_cert.count) {
        return refuse(server, "--tls-key without --tls-cert: name the certificate too");
    }
    if (secure && !secure_wanted(settings)) {
        return refuse(server,
                      "an address says https://, but there is no certificate: name one with "
                      "--tls-cert FILE, or try --tls-self-signed");
    }
    if (!secure && secure_wanted(settings)) {
        return refuse(server, "there is a certificate, but every address says http://: write "
                              "--listen https://ADDRESS");
    }
    if (!secure && (settings->redirect_http || settings->hsts_ms || settings->tls_client_ca)) {
        return refuse(server, "--redirect-http, --hsts and --tls-client-ca are for a server with "
                              "certificates: name one with --tls-cert FILE");
    }
    if (settings->redirect_http && secure == settings->listen.count) {
        return refuse(server, "--redirect-http needs an address that says http://");
    }
    return 0;
}

// --- the self-signed certificate ---

static int state_folder(char *out, size_t size) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/') {
        snprintf(out, size, "%s/freshet", state);
    } else if (home && *home == '/') {
        snprintf(out, size, "%s/.local/state/freshet", home);
    } else {
        errno = ENOENT;
        return ERR_SYSTEM;
    }
    return 0;
}

static int prepare_self_signed(struct server *server) {
    struct secure *secure = &server->secure;
    struct tls_self_signed made;
    char folder[2048], host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    int rc = state_folder(folder, sizeof(folder));
    rc = rc ? rc : tls_self_signed_prepare(&made, folder, host);
    if (rc) {
        snprintf(
            server->problem, sizeof(server->problem),
            "--tls-self-signed: cannot keep a certificate in %.100s: %s; set XDG_STATE_HOME to "
            "a folder that can be written",
            rc == ERR_SYSTEM && errno == ENOENT ? "~/.local/state/freshet" : folder,
            rc == ERR_SYSTEM ? strerror(errno) : "the path is too long, or memory is short");
        return ERR_SYSTEM;
    }
    secure->self_signed.items = calloc(1, sizeof(char *));
    char *file = strdup(made.server);
    if (!secure->self_signed.items || !file) {
        free(file);
        return ERR_NOMEM;
    }
    secure->self_signed.items[0] = file;
    secure->self_signed.count = 1;
    log_write(LOG_INFO, "self-signed certificate %s, SHA-256 %s", made.cert, made.fingerprint);
    log_write(LOG_INFO,
              "to trust it: curl --cacert %s, NODE_EXTRA_CA_CERTS=%s, or import it in the browser",
              made.cert, made.cert);
    return 0;
}

// --- loading ---

static struct tls_settings wish_of(const struct server *server) {
    const struct settings *settings = server->settings;
    static const struct texts none;
    bool self_signed = settings->tls_self_signed;
    return (struct tls_settings){
        .certs = self_signed ? &server->secure.self_signed : &settings->tls_cert,
        .keys = self_signed ? &none : &settings->tls_key,
        .client_ca = settings->tls_client_ca,
        .min_version = (enum tls_version)settings->tls_min_version,
        .protocols = session_protocols,
    };
}

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

static struct secure_stamp look(const struct server *server) {
    struct tls_settings wish = wish_of(server);
    struct secure_stamp sum = {0};
    for (size_t i = 0; i < wish.certs->count; i++) {
        add_stamp(&sum, wish.certs->items[i]);
    }
    for (size_t i = 0; i < wish.keys->count; i++) {
        add_stamp(&sum, wish.keys->items[i]);
    }
    add_stamp(&sum, wish.client_ca);
    return sum;
}

static bool same(const struct secure_stamp *a, const struct secure_stamp *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

static int load(struct server *server, char problem[TLS_PROBLEM_MAX]) {
    struct secure *secure = &server->secure;
    struct tls_settings wish = wish_of(server);
    struct tls_certs *certs;
    secure->loaded = secure->seen = look(server);
    int rc = tls_certs_create(&certs, &wish, &secure->source.tickets, problem);
    if (rc == 0) {
        tls_source_replace(&secure->source, certs);
    }
    return rc;
}

int secure_open(struct server *server) {
    const struct settings *settings = server->settings;
    struct secure *secure = &server->secure;
    char problem[TLS_PROBLEM_MAX] = "";
    int rc = check_settings(server);
    if (rc || !secure_wanted(settings)) {
        return rc;
    }
    rc = tls_source_init(&secure->source, now_seconds());
    if (rc) {
        return rc;
    }
    secure->on = true;
    rc = settings->tls_self_signed ? prepare_self_signed(server) : 0;
    rc = rc ? rc : load(server, problem);
    if (rc && problem[0]) {
        snprintf(server->problem, sizeof(server->problem), "%s", problem);
    }
    if (settings->hsts_ms) {
        snprintf(secure->hsts, sizeof(secure->hsts), "max-age=%lld",
                 (long long)settings->hsts_ms / 1000);
    }
    return rc;
}

void secure_close(struct server *server) {
    struct secure *secure = &server->secure;
    if (secure->on) {
        tls_source_finish(&secure->source);
        secure->on = false;
    }
    for (size_t i = 0; i < secure->self_signed.count; i++) {
        free(secure->self_signed.items[i]);
    }
    free(secure->self_signed.items);
    secure->self_signed = (struct texts){0};
}

int secure_check(struct server *server) {
    if (server->settings->tls_self_signed) {
        return check_settings(server); // checking makes nothing
    }
    int rc = secure_open(server);
    secure_close(server);
    return rc;
}

void secure_reload(struct server *server) {
    char problem[TLS_PROBLEM_MAX] = "";
    if (!server->secure.on) {
        return;
    }
    if (load(server, problem)) {
        log_write(LOG_ERROR, "the new certificates are not used, those before go on: %s", problem);
    } else {
        log_write(LOG_INFO, "certificates loaded: new connections get them");
    }
}

void secure_tick(struct server *server) {
    struct secure *secure = &server->secure;
    if (!secure->on) {
        return;
    }
    tls_tickets_tick(&secure->source.tickets, now_seconds());
    if (++secure->ticks % LOOK_TICKS) {
        return;
    }
    struct secure_stamp now = look(server);
    bool settled = same(&now, &secure->seen);
    secure->seen = now;
    if (settled && !same(&now, &secure->loaded)) {
        secure_reload(server);
    }
}
