// Reading PEM files into contexts. Each step that can fail has a sentence of its own, because a
// wrong certificate is found by whoever sets the server up, and OpenSSL's own words help few.
#include "net/tls_files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"

int tls_files_refuse(char problem[TLS_PROBLEM_MAX], int error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem, TLS_PROBLEM_MAX, format, args);
    va_end(args);
    return error;
}

// What OpenSSL said first, for what has no sentence of its own.
static const char *reason(void) {
    const char *text = ERR_reason_error_string(ERR_peek_error());
    return text ? text : "no reason given";
}

static int open_file(const char *path, const char *what, BIO **out, char problem[TLS_PROBLEM_MAX]) {
    errno = 0;
    *out = BIO_new_file(path, "r");
    if (*out) {
        return 0;
    }
    int error = errno ? errno : ENOMEM;
    return tls_files_refuse(
        problem, ERR_SYSTEM, "cannot read the %s %.200s: %s%s", what, path, strerror(error),
        error == EACCES ? "; the user that freshet runs as must be able to" : "");
}

static void warn_of_dates(const X509 *cert, const char *path) {
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0) {
        log_write(LOG_WARN, "the certificate %s has expired: clients will refuse it", path);
    } else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0) {
        log_write(LOG_WARN, "the certificate %s is not valid yet: clients will refuse it", path);
    }
}

static void warn_of_mode(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && status.st_mode & S_IROTH) {
        log_write(LOG_WARN, "everyone can read the key in %s: chmod o-r %s", path, path);
    }
}

static int use_cert(SSL_CTX *context, const char *path, char problem[TLS_PROBLEM_MAX]) {
    BIO *file;
    int rc = open_file(path, "certificate", &file, problem);
    if (rc) {
        return rc;
    }
    BIO_free(file);
    if (SSL_CTX_use_certificate_chain_file(context, path) != 1) {
        bool none = ERR_GET_REASON(ERR_peek_error()) == PEM_R_NO_START_LINE;
        return tls_files_refuse(
            problem, ERR_INVALID, "%.200s is no certificate that can be used: %s", path,
            none ? "it holds none in PEM form (-----BEGIN CERTIFICATE-----)" : reason());
    }
    warn_of_dates(SSL_CTX_get0_certificate(context), path);
    return 0;
}

int tls_files_no_passphrase(char *buffer, int size, int writing, void *asked) {
    (void)buffer;
    (void)size;
    (void)writing;
    if (asked) {
        *(bool *)asked = true;
    }
    return -1;
}

static int read_key(const char *path, EVP_PKEY **out, char problem[TLS_PROBLEM_MAX]) {
    bool asked = false;
    BIO *file;
    int rc = open_file(path, "key", &file, problem);
    if (rc) {
        return rc;
    }
    *out = PEM_read_bio_PrivateKey(file, NULL, tls_files_no_passphrase, &asked);
    BIO_free(file);
    if (*out) {
        return 0;
    }
    if (asked) {
        return tls_files_refuse(problem, ERR_INVALID,
                                "the key in %.200s has a passphrase, and nobody is there to type "
                                "it: remove it (openssl pkey -in FILE -out NEW)",
                                path);
    }
    return tls_files_refuse(problem, ERR_INVALID,
                            "%.200s holds no key in PEM form (-----BEGIN PRIVATE KEY-----); name "
                            "the file that does with --tls-key",
                            path);
}

int tls_files_use_pair(SSL_CTX *context, const char *cert, const char *key,
                       char problem[TLS_PROBLEM_MAX]) {
    EVP_PKEY *pkey;
    ERR_clear_error();
    int rc = use_cert(context, cert, problem);
    rc = rc ? rc : read_key(key, &pkey, problem);
    if (rc) {
        return rc;
    }
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), pkey) != 1) {
        rc = tls_files_refuse(problem, ERR_INVALID,
                              "the key in %.200s does not belong to the certificate in %.200s", key,
                              cert);
    } else if (SSL_CTX_use_PrivateKey(context, pkey) != 1) {
        rc = tls_files_refuse(problem, ERR_INVALID, "the key in %.200s cannot be used: %s", key,
                              reason());
    } else {
        warn_of_mode(key);
    }
    EVP_PKEY_free(pkey);
    return rc;
}

// A session is good only under the authorities that it was begun under, so they are in its context.
static int bind_sessions(SSL_CTX *context, const char *path) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char bytes[16 * 1024];
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    FILE *file = fopen(path, "re");
    size_t n = 0;
    bool fine = sum && file && EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    while (fine && (n = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        fine = EVP_DigestUpdate(sum, bytes, n);
    }
    fine = fine && EVP_DigestFinal_ex(sum, digest, NULL);
    EVP_MD_CTX_free(sum);
    if (file) {
        fclose(file);
    }
    return fine && SSL_CTX_set_session_id_context(context, digest, sizeof(digest));
}

int tls_files_use_clients(SSL_CTX *context, const char *authorities, bool optional,
                          char problem[TLS_PROBLEM_MAX]) {
    static const unsigned char anyone[] = "freshet";
    BIO *file;
    if (!authorities) {
        SSL_CTX_set_session_id_context(context, anyone, sizeof(anyone) - 1);
        return 0;
    }
    int rc = open_file(authorities, "file of --tls-client-ca", &file, problem);
    if (rc) {
        return rc;
    }
    BIO_free(file);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(authorities);
    if (!names || SSL_CTX_load_verify_file(context, authorities) != 1 ||
        !bind_sessions(context, authorities)) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return tls_files_refuse(problem, ERR_INVALID,
                                "%.200s holds no certificates of authorities in PEM form: %s",
                                authorities, reason());
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
                       NULL);
    return 0;
}
