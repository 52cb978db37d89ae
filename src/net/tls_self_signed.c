// Making and keeping one certificate. The key never leaves its file, which only its owner can read;
// the certificate is in a file of its own, because people copy what they are told to trust. Each is
// put into its place by rename(2). It signs nothing but itself.
#include "net/tls_self_signed.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { DAYS = 365, SPARE_DAYS = 7, DAY_SECONDS = 86400 };

static int extend(X509 *cert, int id, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    int added = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

// A host name that is none, or that would need quoting, is left out.
static void compose_names(char *out, size_t size, const char *host) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    bool plain = host && *host && strlen(host) < 64 && strspn(host, letters) == strlen(host);
    bool news = plain && strcmp(host, "localhost") != 0;
    snprintf(out, size, "DNS:localhost,IP:127.0.0.1,IP:::1%s%s", news ? ",DNS:" : "",
             news ? host : "");
}

static int describe(X509 *cert, EVP_PKEY *key, const char *host) {
    unsigned char serial[8];
    char names[160];
    X509_NAME *name = X509_get_subject_name(cert);
    compose_names(names, sizeof(names), host);
    if (RAND_bytes(serial, sizeof(serial)) != 1) {
        return 0;
    }
    serial[0] &= 0x7f; // a number above zero
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    int fine = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return fine && X509_set_version(cert, X509_VERSION_3) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_SECONDS) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), (long)DAYS * DAY_SECONDS) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"freshet development", -1, -1, 0) &&
           X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
           extend(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           extend(cert, NID_key_usage, "critical,digitalSignature") &&
           extend(cert, NID_ext_key_usage, "serverAuth") &&
           extend(cert, NID_subject_alt_name, names) && X509_sign(cert, key, EVP_sha256());
}

static X509 *make(EVP_PKEY *key, const char *host) {
    X509 *cert = X509_new();
    if (cert && !describe(cert, key, host)) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

// Replaces the file: the certificate, and in front of it the key if there is one.
static int write_file(const char *path, EVP_PKEY *key, X509 *cert) {
    char temporary[4096 + 8];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    (void)unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, key ? 0600 : 0644);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        return ERR_SYSTEM;
    }
    bool written = (!key || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)) &&
                   PEM_write_X509(file, cert);
    written = fclose(file) == 0 && written;
    return written && rename(temporary, path) == 0 ? 0 : ERR_SYSTEM;
}

static bool is_good(X509 *cert, const char *host) {
    time_t then = time(NULL) + SPARE_DAYS * DAY_SECONDS;
    char names[160];
    compose_names(names, sizeof(names), host);
    return X509_cmp_time(X509_get0_notAfter(cert), &then) > 0 &&
           X509_check_ip_asc(cert, "127.0.0.1", 0) == 1 &&
           (!strstr(names, ",DNS:") || X509_check_host(cert, host, 0, 0, NULL) == 1);
}

// The certificate that was kept, if it is still good; else NULL.
static X509 *find(const char *path, const char *host) {
    FILE *file = fopen(path, "re");
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    if (file) {
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        cert = key ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
        fclose(file);
    }
    bool good = cert && X509_check_private_key(cert, key) == 1 && is_good(cert, host);
    EVP_PKEY_free(key);
    if (!good) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static int make_and_keep(const char *path, const char *host, X509 **out) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? make(key, host) : NULL;
    int rc = cert ? write_file(path, key, cert) : ERR_NOMEM;
    EVP_PKEY_free(key);
    if (rc) {
        X509_free(cert);
        return rc;
    }
    *out = cert;
    return 0;
}

static int write_fingerprint(const X509 *cert, char out[TLS_FINGERPRINT_MAX]) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;
    if (!X509_digest(cert, EVP_sha256(), digest, &len)) {
        return ERR_NOMEM;
    }
    for (unsigned i = 0; i < len; i++) {
        snprintf(out + 3 * (size_t)i, 4, "%02X%s", digest[i], i + 1 < len ? ":" : "");
    }
    return 0;
}

static int make_folder(const char *folder) {
    char path[4096];
    size_t len = strlen(folder);
    if (len == 0 || len >= sizeof(path) - 32) {
        return ERR_TOO_LARGE;
    }
    memcpy(path, folder, len + 1);
    for (char *at = path + 1; *at; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(path, 0755);
            *at = '/';
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : ERR_SYSTEM;
}

int tls_self_signed_prepare(struct tls_self_signed *out, const char *folder, const char *host) {
    int rc = make_folder(folder);
    if (rc) {
        return rc;
    }
    snprintf(out->server, sizeof(out->server), "%.4000s/self-signed.key", folder);
    snprintf(out->cert, sizeof(out->cert), "%.4000s/self-signed.pem", folder);
    X509 *cert = find(out->server, host);
    rc = cert ? 0 : make_and_keep(out->server, host, &cert);
    if (rc == 0) {
        rc = write_file(out->cert, NULL, cert);
        rc = rc ? rc : write_fingerprint(cert, out->fingerprint);
        X509_free(cert);
    }
    int error = errno;
    ERR_clear_error();
    errno = error;
    return rc;
}
