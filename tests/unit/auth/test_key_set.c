// Keys from PEM and from JSON, with the examples of the standards, and how one is chosen.
#include "sign.h"
#include "support.h"

#include "auth/key_set.h"
#include "base/error.h"

// RFC 7515, appendix A.3: a public key of P-256 and a signature made with it.
static const char ES256_KEY[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
// RFC 8037, appendix A.2.
static const char ED25519_KEY[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char SECRET_KEY[] =
    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
    "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}";

static int add(struct key_set *set, const char *text) {
    const char *problem = NULL;
    int rc = key_set_add(set, bytes_of(text), &problem);
    assert_true((rc == 0) == (problem == NULL));
    return rc;
}

static void test_keys_of_the_standards(void **state) {
    (void)state;
    struct key_set set;
    key_set_init(&set);
    assert_int_equal(add(&set, ES256_KEY), 0);
    assert_int_equal(add(&set, ED25519_KEY), 0);
    assert_int_equal(add(&set, SECRET_KEY), 0);
    assert_int_equal(set.count, 3);
    assert_int_equal(set.keys[0].family, KEY_P256);
    assert_int_equal(set.keys[1].family, KEY_ED25519);
    assert_int_equal(set.keys[2].family, KEY_SECRET);
    assert_int_equal(set.keys[2].secret.len, 64);
    key_set_finish(&set);
}

static void test_a_set_passes_over_what_is_not_for_tokens(void **state) {
    (void)state;
    struct key_set set;
    key_set_init(&set);
    assert_int_equal(
        add(&set, "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AQ\",\"e\":\"AQAB\"},"
                  "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AQ\",\"y\":\"AQ\"},"
                  "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AQ\"},{\"kty\":\"new\"},"
                  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"sign\"],\"x\":\"AQ\"},"
                  "{\"kid\":\"one\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\",\"alg\":"
                  "\"EdDSA\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"),
        0);
    assert_int_equal(set.count, 1);
    assert_true(bytes_is(set.keys[0].id, "one"));
    assert_ptr_equal(set.keys[0].only, algorithm_find(bytes_of("EdDSA")));
    key_set_finish(&set);
}

static void test_bad_keys(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "a word",
        "7",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[7]}",
        "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}",
        "{\"kty\":\"oct\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQ==\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}",
        // Not on the curve.
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"AQ\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"kty\":\"oct\",\"crv\":\"Ed25519\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"HS256\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
    };
    struct key_set set;
    key_set_init(&set);
    assert_int_equal(add(&set, SECRET_KEY), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(add(&set, bad[i]), ERR_INVALID);
        assert_int_equal(set.count, 1);
    }
    key_set_finish(&set);
}

static void test_weak_rsa_is_refused(void **state) {
    (void)state;
    struct key_set set;
    struct buf pem;
    const char *problem = NULL;
    EVP_PKEY *weak = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    key_set_init(&set);
    buf_init(&pem, &mem_libc, 0);
    sign_public_pem(weak, &pem);
    assert_int_equal(key_set_add(&set, buf_bytes(&pem), &problem), ERR_INVALID);
    assert_non_null(strstr(problem, "2048"));
    assert_int_equal(set.count, 0);
    EVP_PKEY_free(weak);
    buf_finish(&pem);
    key_set_finish(&set);
}

static bool tried(const struct key_set *set, const char *algorithm, const char *id) {
    bool known;
    assert_false(key_set_verify(set, algorithm_find(bytes_of(algorithm)), bytes_of(id),
                                bytes_of("text"), bytes_of("signature"), &known));
    return known;
}

static void test_which_key_is_tried(void **state) {
    (void)state;
    struct key_set set;
    key_set_init(&set);
    assert_int_equal(add(&set, "{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
                     0);
    assert_true(tried(&set, "EdDSA", "a"));
    assert_true(tried(&set, "EdDSA", ""));
    assert_false(tried(&set, "EdDSA", "b"));
    assert_false(tried(&set, "ES256", "a"));
    assert_int_equal(add(&set, ES256_KEY), 0);
    assert_true(tried(&set, "ES256", "b")); // it has no name, so it may be the one
    assert_false(tried(&set, "ES384", "b"));
    key_set_finish(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_of_the_standards),
        cmocka_unit_test(test_a_set_passes_over_what_is_not_for_tokens),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_weak_rsa_is_refused),
        cmocka_unit_test(test_which_key_is_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
