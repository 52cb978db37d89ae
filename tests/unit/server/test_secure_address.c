// What each address asks for, from the settings of all and from its section.
#include "support.h"

#include <string.h>

#include "base/error.h"
#include "net/listen_spec.h"
#include "server/secure_address.h"
#include "server/server.h"
#include "server/session.h"

static char file_all[] = "all.pem", file_own[] = "own.pem", file_key[] = "own.key", ca[] = "ca.pem";
static char *certs_all[] = {file_all}, *certs_own[] = {file_own}, *keys_own[] = {file_key};

static struct server server;
static struct settings settings;
static struct listen_settings sections[2];
static char *addresses[3];

// A certificate for all, two addresses, and a section without anything of its own.
static void begin(const char *first, const char *second, const char *section) {
    memset(&server, 0, sizeof(server));
    memset(&settings, 0, sizeof(settings));
    memset(sections, 0, sizeof(sections));
    addresses[0] = (char *)(uintptr_t)first;
    addresses[1] = (char *)(uintptr_t)second;
    settings.listen = (struct texts){.items = addresses, .count = 2};
    settings.tls_cert = (struct texts){.items = certs_all, .count = 1};
    settings.http2 = true;
    sections[0] = (struct listen_settings){.address = (char *)(uintptr_t)section, .http2 = true};
    settings.listen_sections = (struct records){.items = sections, .count = 1};
    server.settings = &settings;
}

static int wish_of(const char *text, struct secure_wish *out) {
    struct listen_spec spec;
    assert_null(listen_spec_parse(text, &spec));
    return secure_address_wish(&server, text, &spec, out);
}

static void expect_refused(const char *text, const char *sentence) {
    struct secure_wish wish;
    assert_int_equal(wish_of(text, &wish), ERR_INVALID);
    assert_non_null(strstr(server.problem, sentence));
}

static void what_a_section_leaves_out_is_as_for_all(void **state) {
    struct secure_wish wish;
    begin("https://127.0.0.1:1", "https://[::1]:2", "[::1]:2");
    settings.tls_client_ca = ca;
    assert_int_equal(wish_of(addresses[0], &wish), 0);
    assert_null(wish.section);
    assert_true(wish.tls && wish.http2);
    assert_ptr_equal(wish.settings.certs, &settings.tls_cert);
    assert_string_equal(wish.settings.client_ca, ca);
    assert_false(wish.settings.client_optional);
    assert_ptr_equal(wish.settings.protocols, session_protocols);
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    assert_string_equal(wish.section, "[::1]:2");
    assert_ptr_equal(wish.settings.certs, &settings.tls_cert);
    assert_string_equal(wish.settings.client_ca, ca);
}

static void a_section_is_of_its_address_alone(void **state) {
    struct secure_wish wish;
    begin("https://localhost:1;proxy", "https://127.0.0.1:2", "127.0.0.1:1");
    sections[0].tls_cert = (struct texts){.items = certs_own, .count = 1};
    sections[0].tls_key = (struct texts){.items = keys_own, .count = 1};
    sections[0].tls_client_ca = ca;
    sections[0].tls_client_auth = CLIENTS_OPTIONAL;
    sections[0].tls_min_version = TLS_AT_LEAST_1_3;
    sections[0].http2 = false;
    assert_int_equal(wish_of(addresses[0], &wish), 0);
    assert_ptr_equal(wish.settings.certs, &sections[0].tls_cert);
    assert_ptr_equal(wish.settings.keys, &sections[0].tls_key);
    assert_string_equal(wish.settings.client_ca, ca);
    assert_true(wish.settings.client_optional);
    assert_int_equal(wish.settings.min_version, TLS_AT_LEAST_1_3);
    assert_false(wish.http2);
    assert_ptr_equal(wish.settings.protocols, session_protocols_h1);
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    assert_ptr_equal(wish.settings.certs, &settings.tls_cert);
    assert_null(wish.settings.client_ca);
    assert_int_equal(wish.settings.min_version, TLS_AT_LEAST_1_2);
    assert_true(wish.http2);
    assert_int_equal(secure_address_sections(&server), 0);
}

static void a_key_of_all_is_not_that_of_a_certificate_of_its_own(void **state) {
    struct secure_wish wish;
    begin("https://127.0.0.1:1", "https://127.0.0.1:2", "127.0.0.1:2");
    settings.tls_key = (struct texts){.items = keys_own, .count = 1};
    sections[0].tls_cert = (struct texts){.items = certs_own, .count = 1};
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    assert_int_equal(wish.settings.keys->count, 0);
}

static void authorities_can_be_done_without(void **state) {
    struct secure_wish wish;
    begin("https://127.0.0.1:1", "https://127.0.0.1:2", "127.0.0.1:2");
    settings.tls_client_ca = ca;
    sections[0].tls_client_auth = CLIENTS_NONE;
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    assert_null(wish.settings.client_ca);
    settings.tls_client_ca = NULL;
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    sections[0].tls_client_auth = CLIENTS_REQUIRED;
    expect_refused(addresses[1], "--tls-client-ca FILE");
    sections[0].tls_client_auth = CLIENTS_OPTIONAL;
    expect_refused(addresses[1], "--tls-client-ca FILE");
}

static void who_speaks_tls(void **state) {
    static char plain[] = "http://127.0.0.1:1";
    struct secure_wish wish;
    begin("127.0.0.1:1", "unix:/run/f.sock", "unix:/run/f.sock");
    assert_int_equal(wish_of(addresses[0], &wish), 0);
    assert_true(wish.tls);
    settings.tls_cert.count = 0;
    assert_int_equal(wish_of(addresses[0], &wish), 0);
    assert_false(wish.tls);
    sections[0].tls_cert = (struct texts){.items = certs_own, .count = 1};
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    assert_true(wish.tls);
    addresses[0] = plain;
    expect_refused(addresses[1], "is about TLS, but the address is to speak plain text");
}

static void sockets_that_are_handed_over_have_sections_by_name(void **state) {
    struct secure_wish wish;
    begin("systemd:inside", "systemd", "systemd:inside");
    sections[0].http2 = false;
    assert_int_equal(wish_of(addresses[0], &wish), 0);
    assert_false(wish.http2);
    assert_int_equal(wish_of(addresses[1], &wish), 0);
    assert_true(wish.http2);
    assert_int_equal(wish_of("127.0.0.1:1", &wish), 0);
    assert_true(wish.http2);
}

static void sections_that_contradict_are_refused(void **state) {
    begin("https://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:1");
    expect_refused(addresses[0], "says http://, but the address speaks TLS");
    begin("https://127.0.0.1:1", "http://127.0.0.1:2", "https://127.0.0.1:2");
    expect_refused(addresses[1], "is about TLS");
    begin("https://127.0.0.1:1", "http://127.0.0.1:2", "127.0.0.1:1");
    sections[0].tls_key = (struct texts){.items = keys_own, .count = 1};
    expect_refused(addresses[0], "name the certificate too");
    sections[1] = sections[0];
    settings.listen_sections.count = 2;
    expect_refused(addresses[0], "are the same address");
}

static void a_section_of_no_address_is_refused(void **state) {
    static char right[] = "unix:/run/f.sock", wrong[] = "unix:/run/f.soc";
    begin("https://127.0.0.1:1", "unix:/run/f.sock", "127.0.0.1:2");
    assert_int_equal(secure_address_sections(&server), ERR_INVALID);
    assert_non_null(strstr(server.problem, "[listen \"127.0.0.1:2\"]: nothing listens there"));
    sections[0].address = right;
    assert_int_equal(secure_address_sections(&server), 0);
    sections[0].address = wrong;
    assert_int_equal(secure_address_sections(&server), ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_section_leaves_out_is_as_for_all),
        cmocka_unit_test(a_section_is_of_its_address_alone),
        cmocka_unit_test(a_key_of_all_is_not_that_of_a_certificate_of_its_own),
        cmocka_unit_test(authorities_can_be_done_without),
        cmocka_unit_test(who_speaks_tls),
        cmocka_unit_test(sockets_that_are_handed_over_have_sections_by_name),
        cmocka_unit_test(sections_that_contradict_are_refused),
        cmocka_unit_test(a_section_of_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
