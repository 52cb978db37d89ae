// Ticket keys on a clock of the test's own: what was sealed opens until it is too old.
#include "support.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "net/tls_tickets.h"

enum { PERIOD = TLS_TICKET_ROTATE_SECONDS };

static void test_rotation(void **state) {
    struct tls_tickets tickets;
    assert_int_equal(tls_tickets_init(&tickets, 1000), 0);
    struct tls_ticket_key first = tickets.keys[0];
    tls_tickets_tick(&tickets, 1000 + PERIOD - 1);
    assert_int_equal(tickets.count, 1);
    for (unsigned i = 1; i <= 5; i++) {
        tls_tickets_tick(&tickets, 1000 + (int64_t)i * PERIOD);
        assert_int_equal(tickets.count, i + 1 < TLS_TICKET_KEYS ? i + 1 : TLS_TICKET_KEYS);
        assert_memory_not_equal(&tickets.keys[0], &tickets.keys[1], sizeof(first));
        if (i < TLS_TICKET_KEYS) {
            assert_memory_equal(&tickets.keys[i], &first, sizeof(first));
        }
    }
    for (unsigned i = 0; i < TLS_TICKET_KEYS; i++) {
        assert_memory_not_equal(&tickets.keys[i], &first, sizeof(first));
    }
    tls_tickets_finish(&tickets);
}

// Two ends in memory; the client brings a session. Whether it was resumed.
static bool shake(SSL_CTX *server_context, SSL_CTX *client_context, SSL_SESSION **session) {
    SSL *server = SSL_new(server_context), *client = SSL_new(client_context);
    BIO *one, *other;
    char byte;
    assert_int_equal(BIO_new_bio_pair(&one, 0, &other, 0), 1);
    SSL_set_bio(server, one, one);
    SSL_set_bio(client, other, other);
    if (*session) {
        assert_int_equal(SSL_set_session(client, *session), 1);
    }
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 10; i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    assert_true(SSL_is_init_finished(server));
    (void)SSL_read(client, &byte, 1); // a ticket comes behind the handshake
    bool resumed = SSL_session_reused(server);
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client);
    SSL_shutdown(client); // else the session would count as broken
    SSL_free(server);
    SSL_free(client);
    return resumed;
}

static void use_some_cert(SSL_CTX *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()));
    assert_int_equal(SSL_CTX_use_certificate(context, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void check_version(int version) {
    struct tls_tickets tickets, others;
    SSL_CTX *server = SSL_CTX_new(TLS_server_method()), *client = SSL_CTX_new(TLS_client_method());
    SSL_CTX *other = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *session = NULL;
    SSL_CTX_set_max_proto_version(client, version);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    use_some_cert(server);
    use_some_cert(other);
    assert_int_equal(tls_tickets_init(&tickets, 0), 0);
    assert_int_equal(tls_tickets_init(&others, 0), 0);
    tls_tickets_use(&tickets, server);
    tls_tickets_use(&others, other);
    assert_false(shake(server, client, &session));
    assert_true(shake(server, client, &session));
    tls_tickets_tick(&tickets, PERIOD);
    assert_true(shake(server, client, &session)); // under the key before, and gets one of the new
    tls_tickets_tick(&tickets, 2 * PERIOD);
    tls_tickets_tick(&tickets, 3 * PERIOD);
    assert_true(shake(server, client, &session));
    for (int i = 4; i < 4 + TLS_TICKET_KEYS; i++) {
        tls_tickets_tick(&tickets, (int64_t)i * PERIOD);
    }
    assert_false(shake(server, client, &session)); // too old
    assert_false(shake(other, client, &session));  // somebody else's
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
    SSL_CTX_free(client);
    tls_tickets_finish(&tickets);
    tls_tickets_finish(&others);
}

static void test_tickets_of_1_3(void **state) {
    check_version(TLS1_3_VERSION);
}

static void test_tickets_of_1_2(void **state) {
    check_version(TLS1_2_VERSION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_tickets_of_1_3),
        cmocka_unit_test(test_tickets_of_1_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
