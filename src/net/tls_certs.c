// Certificates. Each pair is a context of its own, and the name that a client asks for picks one;
// the first stands for every name that no certificate has. What OpenSSL allows beyond what today's
// clients need is off: old versions, renegotiation, compression, ciphers without forward secrecy.
#include "net/tls_certs.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/tls_files.h"
#include "net/tls_tickets.h"

struct tls_certs {
    atomic_uint refs;
    size_t count;
    const char *protocols;
    SSL_CTX *contexts[TLS_CERTS_MAX];
};

static const char CIPHERS_1_2[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// All of them are strong; the first is the cheapest where the processor knows AES.
static const char CIPHERS_1_3[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

struct tls_certs *tls_certs_ref(struct tls_certs *certs) {
    atomic_fetch_add_explicit(&certs->refs, 1, memory_order_relaxed);
    return certs;
}

void tls_certs_unref(struct tls_certs *certs) {
    if (!certs || atomic_fetch_sub_explicit(&certs->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < certs->count; i++) {
        SSL_CTX_free(certs->contexts[i]);
    }
    free(certs);
}

SSL *tls_certs_open(struct tls_certs *certs) {
    SSL *ssl = SSL_new(certs->contexts[0]);
    if (ssl) {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}

static SSL_CTX *find(const struct tls_certs *certs, const char *name, unsigned flags) {
    for (size_t i = 0; i < certs->count; i++) {
        X509 *cert = SSL_CTX_get0_certificate(certs->contexts[i]);
        if (X509_check_host(cert, name, 0, flags, NULL) == 1) {
            return certs->contexts[i];
        }
    }
    return NULL;
}

// The whole name is better than a wildcard, wherever it stands.
static int on_name(SSL *ssl, int *alert, void *arg) {
    const struct tls_certs *certs = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    if (name && certs->count > 1) {
        SSL_CTX *context = find(certs, name, X509_CHECK_FLAG_NO_WILDCARDS);
        context = context ? context : find(certs, name, 0);
        if (context) {
            SSL_set_SSL_CTX(ssl, context);
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

static int on_protocols(SSL *ssl, const unsigned char **out, unsigned char *len,
                        const unsigned char *in, unsigned size, void *arg) {
    const struct tls_certs *certs = arg;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, len, (const unsigned char *)certs->protocols,
                              (unsigned)strlen(certs->protocols), in,
                              size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_rules(SSL_CTX *context, const struct tls_settings *settings) {
    bool only_1_3 = settings->min_version == TLS_AT_LEAST_1_3;
    // Who goes without a goodbye is treated like who says it: requests say how long they are.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_default_passwd_cb(context, tls_files_no_passphrase);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); // a system call for a read, instead of two for a record
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(context, only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(context, CIPHERS_1_2) &&
           SSL_CTX_set_ciphersuites(context, CIPHERS_1_3);
}

static SSL_CTX *new_context(struct tls_certs *certs, const struct tls_settings *settings,
                            struct tls_tickets *tickets) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) {
        return NULL;
    }
    if (!set_rules(context, settings)) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    SSL_CTX_set_tlsext_servername_arg(context, certs);
    SSL_CTX_set_alpn_select_cb(context, on_protocols, certs);
    tls_tickets_use(tickets, context);
    return context;
}

static int add_pair(struct tls_certs *certs, size_t place, const struct tls_settings *settings,
                    struct tls_tickets *tickets, char problem[TLS_PROBLEM_MAX]) {
    const char *cert = settings->certs->items[place];
    const char *key = settings->keys->count ? settings->keys->items[place] : cert;
    SSL_CTX *context = new_context(certs, settings, tickets);
    if (!context) {
        return tls_files_refuse(problem, ERR_NOMEM, "not enough memory for a certificate");
    }
    certs->contexts[certs->count++] = context;
    int rc = tls_files_use_pair(context, cert, key, problem);
    return rc ? rc
              : tls_files_use_clients(context, settings->client_ca, settings->client_optional,
                                      problem);
}

static int check_counts(const struct tls_settings *settings, char problem[TLS_PROBLEM_MAX]) {
    size_t certs = settings->certs->count, keys = settings->keys->count;
    if (certs == 0 || certs > TLS_CERTS_MAX) {
        return tls_files_refuse(problem, ERR_INVALID,
                                "name from 1 to %d certificates with --tls-cert", TLS_CERTS_MAX);
    }
    if (keys && keys != certs) {
        return tls_files_refuse(problem, ERR_INVALID,
                                "%zu times --tls-cert but %zu times --tls-key: give each "
                                "certificate its key, in the same order, or none if each file of a "
                                "certificate holds its key too",
                                certs, keys);
    }
    return 0;
}

int tls_certs_create(struct tls_certs **out, const struct tls_settings *settings,
                     struct tls_tickets *tickets, char problem[TLS_PROBLEM_MAX]) {
    int rc = check_counts(settings, problem);
    if (rc) {
        return rc;
    }
    struct tls_certs *certs = calloc(1, sizeof(*certs));
    if (!certs) {
        return tls_files_refuse(problem, ERR_NOMEM, "not enough memory for certificates");
    }
    certs->protocols = settings->protocols;
    atomic_init(&certs->refs, 1);
    for (size_t i = 0; rc == 0 && i < settings->certs->count; i++) {
        rc = add_pair(certs, i, settings, tickets, problem);
    }
    ERR_clear_error();
    if (rc) {
        tls_certs_unref(certs);
        return rc;
    }
    *out = certs;
    return 0;
}
