// Sets of certificates: what is refused and with which sentence, and what is only warned of.
#include "support.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "net/tls_certs.h"
#include "net/tls_self_signed.h"
#include "net/tls_tickets.h"

static char folder[] = "/tmp/test-certs-XXXXXX";
static struct tls_tickets tickets;
static char problem[TLS_PROBLEM_MAX];

static int prepare(void **state) {
    assert_non_null(mkdtemp(folder));
    return tls_tickets_init(&tickets, 0);
}

static int clean(void **state) {
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    tls_tickets_finish(&tickets);
    return system(command);
}

static const char *path_of(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

// A key and its certificate in one file, good from and until so many days from now.
static const char *write_pair(const char *name, long from, long until) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    const char *path = path_of(name);
    FILE *file = fopen(path, "w");
    X509_gmtime_adj(X509_getm_notBefore(cert), from * 86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), until * 86400);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()));
    assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    assert_true(PEM_write_X509(file, cert));
    fclose(file);
    chmod(path, 0600);
    X509_free(cert);
    EVP_PKEY_free(key);
    return path;
}

static int create(const char *cert, const char *key, const char *client_ca) {
    char *certs[] = {(char *)(uintptr_t)cert}, *keys[] = {(char *)(uintptr_t)key};
    struct texts cert_files = {.items = certs, .count = cert ? 1 : 0};
    struct texts key_files = {.items = keys, .count = key ? 1 : 0};
    struct tls_settings settings = {.certs = &cert_files,
                                    .keys = &key_files,
                                    .client_ca = client_ca,
                                    .protocols = "\x08http/1.1"};
    struct tls_certs *set = NULL;
    problem[0] = '\0';
    int rc = tls_certs_create(&set, &settings, &tickets, problem);
    assert_int_equal(rc == 0, set != NULL);
    assert_int_equal(rc != 0, problem[0] != '\0');
    if (set) {
        SSL *ssl = tls_certs_open(tls_certs_ref(set));
        assert_non_null(ssl);
        SSL_free(ssl);
        tls_certs_unref(set);
        tls_certs_unref(set);
    }
    return rc;
}

static void expect(int rc, int error, const char *sentence) {
    assert_int_equal(rc, error);
    assert_non_null(strstr(problem, sentence));
}

static void test_refusals(void **state) {
    const char *one = write_pair("one.pem", -1, 1), *two = write_pair("two.pem", -1, 1);
    assert_int_equal(create(one, NULL, NULL), 0);
    assert_int_equal(create(one, one, one), 0);
    expect(create(NULL, NULL, NULL), ERR_INVALID, "from 1 to 64");
    expect(create(one, two, NULL), ERR_INVALID, "does not belong to the certificate");
    expect(create("/nowhere", NULL, NULL), ERR_SYSTEM, "No such file");
    expect(create(one, "/nowhere", NULL), ERR_SYSTEM, "cannot read the key /nowhere");
    expect(create(one, NULL, "/nowhere"), ERR_SYSTEM, "--tls-client-ca /nowhere");
    expect(create("/dev/null", NULL, NULL), ERR_INVALID, "none in PEM form");
    expect(create(one, "/dev/null", NULL), ERR_INVALID, "holds no key in PEM form");
    expect(create(one, NULL, "/dev/null"), ERR_INVALID, "no certificates of authorities");
    tls_certs_unref(NULL);
}

// What the log says while `call` runs.
static const char *logged(const char *file) {
    static char text[1024];
    const char *path = path_of("log");
    int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    int rc = create(file, NULL, NULL);
    dup2(saved, STDERR_FILENO);
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(saved);
    close(fd);
    assert_int_equal(rc, 0);
    return text;
}

static void test_warnings(void **state) {
    assert_string_equal(logged(write_pair("good.pem", -1, 1)), "");
    assert_non_null(strstr(logged(write_pair("old.pem", -2, -1)), "has expired"));
    assert_non_null(strstr(logged(write_pair("new.pem", 1, 2)), "is not valid yet"));
    const char *open_key = write_pair("open.pem", -1, 1);
    chmod(open_key, 0644);
    assert_non_null(strstr(logged(open_key), "everyone can read the key"));
}

static X509 *read_cert(const char *path) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(cert);
    return cert;
}

static void test_self_signed(void **state) {
    struct tls_self_signed first, again, other;
    struct stat status;
    char deep[128];
    snprintf(deep, sizeof(deep), "%s/some/where", folder);
    assert_int_equal(tls_self_signed_prepare(&first, deep, "host.test"), 0);
    assert_int_equal(stat(first.server, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    X509 *cert = read_cert(first.cert);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "host.test", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
    assert_int_equal(X509_check_ca(cert), 0);
    X509_free(cert);
    assert_int_equal(create(first.server, NULL, NULL), 0);
    // It is kept as long as it is good.
    assert_int_equal(tls_self_signed_prepare(&again, deep, "host.test"), 0);
    assert_string_equal(again.fingerprint, first.fingerprint);
    assert_int_equal(strlen(first.fingerprint), 32 * 3 - 1);
    assert_int_equal(tls_self_signed_prepare(&other, deep, "other.test"), 0);
    assert_string_not_equal(other.fingerprint, first.fingerprint);
    // Names that are none are left out.
    assert_int_equal(tls_self_signed_prepare(&other, deep, "a,DNS:evil.test"), 0);
    cert = read_cert(other.cert);
    assert_int_equal(X509_check_host(cert, "evil.test", 0, 0, NULL), 0);
    X509_free(cert);
    // A file that is broken is replaced.
    assert_int_equal(truncate(other.server, 10), 0);
    assert_int_equal(tls_self_signed_prepare(&other, deep, "host.test"), 0);
    assert_int_equal(create(other.server, NULL, NULL), 0);
    assert_int_equal(tls_self_signed_prepare(&other, "/proc/nowhere", ""), ERR_SYSTEM);
    assert_int_equal(tls_self_signed_prepare(&other, "", ""), ERR_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_self_signed),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
