// Tokens of every algorithm, and the ways in which they are forged.
#include "sign.h"
#include "support.h"

#include <stdio.h>

#include "auth/base64url.h"
#include "auth/token.h"

static const char SECRET[] = "a secret of sixty-four bytes, so that it serves for every HS too..";
static const char CLAIMS[] = "{\"sub\":\"ann\"}";

struct place {
    struct key_set keys;
    struct buf token, room, pem;
    EVP_PKEY *pkey;
};

static struct bytes secret(void) {
    return bytes_make(SECRET, sizeof(SECRET) - 1);
}

static void open_place(struct place *place) {
    *place = (struct place){0};
    key_set_init(&place->keys);
    buf_init(&place->token, &mem_libc, 0);
    buf_init(&place->room, &mem_libc, 0);
    buf_init(&place->pem, &mem_libc, 0);
}

static void close_place(struct place *place) {
    key_set_finish(&place->keys);
    buf_finish(&place->token);
    buf_finish(&place->room);
    buf_finish(&place->pem);
    EVP_PKEY_free(place->pkey);
}

static void trust_secret(struct place *place) {
    const char *problem;
    assert_int_equal(key_set_add_secret(&place->keys, secret(), &problem), 0);
}

static void trust_new_key(struct place *place, const char *kind) {
    const char *problem;
    place->pkey = sign_new_key(kind);
    sign_public_pem(place->pkey, &place->pem);
    assert_int_equal(key_set_add(&place->keys, buf_bytes(&place->pem), &problem), 0);
}

static enum token_fault look(struct place *place, struct bytes text) {
    struct bytes claims;
    enum token_fault fault = token_open(&place->keys, text, &place->room, &claims);
    if (fault == TOKEN_FINE) {
        assert_true(bytes_is(claims, CLAIMS));
    }
    assert_non_null(token_fault_text(fault));
    return fault;
}

// Of a token with this header, signed with the secret by HS256.
static enum token_fault look_at_header(struct place *place, const char *header) {
    buf_clear(&place->token);
    sign_token(header, CLAIMS, "HS256", NULL, secret(), &place->token);
    return look(place, buf_bytes(&place->token));
}

static void check_algorithm(const char *name, const char *kind) {
    struct place place;
    char header[64];
    open_place(&place);
    if (kind) {
        trust_new_key(&place, kind);
    } else {
        trust_secret(&place);
    }
    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"}", name);
    sign_token(header, CLAIMS, name, place.pkey, secret(), &place.token);
    assert_int_equal(look(&place, buf_bytes(&place.token)), TOKEN_FINE);
    // Any character of it changed, it is worth nothing.
    for (size_t i = 0; i < place.token.len; i += 7) {
        char before = place.token.at[i];
        place.token.at[i] = before == 'A' ? 'B' : 'A';
        assert_int_not_equal(look(&place, buf_bytes(&place.token)), TOKEN_FINE);
        place.token.at[i] = before;
    }
    close_place(&place);
}

static void test_every_algorithm(void **state) {
    (void)state;
    check_algorithm("HS256", NULL);
    check_algorithm("HS384", NULL);
    check_algorithm("HS512", NULL);
    check_algorithm("RS256", "RSA");
    check_algorithm("RS512", "RSA");
    check_algorithm("PS256", "RSA");
    check_algorithm("PS384", "RSA");
    check_algorithm("ES256", "P-256");
    check_algorithm("ES384", "P-384");
    check_algorithm("ES512", "P-521");
    check_algorithm("EdDSA", "ED25519");
}

static void test_no_signature_is_no_signature(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    trust_secret(&place);
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
                                          "{\"alg\":\"nOnE\"}", "{\"alg\":\"\"}",
                                          "{\"alg\":\"hs256\"}"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(look_at_header(&place, headers[i]), TOKEN_ALGORITHM);
        // And with the signature cut off.
        char *dot = memrchr(place.token.at, '.', place.token.len);
        size_t len = (size_t)(dot - place.token.at);
        assert_int_equal(look(&place, bytes_make(place.token.at, len + 1)), TOKEN_MALFORMED);
        assert_int_equal(look(&place, bytes_make(place.token.at, len)), TOKEN_MALFORMED);
    }
    close_place(&place);
}

// The oldest one: the public key, which everyone has, taken for the secret.
static void test_a_public_key_is_no_secret(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    trust_new_key(&place, "RSA");
    sign_token("{\"alg\":\"HS256\"}", CLAIMS, "HS256", NULL, buf_bytes(&place.pem), &place.token);
    assert_int_equal(look(&place, buf_bytes(&place.token)), TOKEN_UNKNOWN_KEY);
    close_place(&place);
}

// A key that comes with the token, or that it points to, is not looked at.
static void test_a_key_that_the_token_brings(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    trust_new_key(&place, "P-256");
    EVP_PKEY *own = sign_new_key("P-256");
    static const char *const headers[] = {
        "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}}",
        "{\"alg\":\"ES256\",\"jku\":\"http://127.0.0.1/keys\"}",
        "{\"alg\":\"ES256\",\"x5u\":\"http://127.0.0.1/key\",\"x5c\":[\"\"]}",
        "{\"alg\":\"ES256\",\"kid\":\"../../../../dev/null\"}",
        "{\"alg\":\"ES256\",\"kid\":\"' OR 1=1 --\"}",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        buf_clear(&place.token);
        sign_token(headers[i], CLAIMS, "ES256", own, secret(), &place.token);
        assert_int_equal(look(&place, buf_bytes(&place.token)), TOKEN_FORGED);
    }
    EVP_PKEY_free(own);
    close_place(&place);
}

static void test_headers_that_mean_something_else(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    trust_secret(&place);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}"),
                     TOKEN_ALGORITHM);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"zip\":\"DEF\"}"),
                     TOKEN_ALGORITHM);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"b64\":false}"), TOKEN_ALGORITHM);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"cty\":\"JWT\"}"),
                     TOKEN_ALGORITHM);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"alg\":\"none\"}"),
                     TOKEN_MALFORMED);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"b\"}"),
                     TOKEN_MALFORMED);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\",\"kid\":7}"), TOKEN_MALFORMED);
    assert_int_equal(look_at_header(&place, "{\"alg\":[\"HS256\"]}"), TOKEN_MALFORMED);
    assert_int_equal(look_at_header(&place, "{}"), TOKEN_MALFORMED);
    assert_int_equal(look_at_header(&place, "[\"HS256\"]"), TOKEN_MALFORMED);
    assert_int_equal(look_at_header(&place, "{\"alg\":\"HS256\"} "), TOKEN_FINE);
    assert_int_equal(look_at_header(&place, "{\"al\\u0067\":\"HS256\"}"), TOKEN_FINE);
    close_place(&place);
}

static void test_what_is_no_token(void **state) {
    (void)state;
    static const char *const texts[] = {"",      ".",       "..",       "...",        "a.b",
                                        "a.b.c", "a.b.c.d", "e30.e30.", "e30.e30.AA", "....."};
    struct place place;
    open_place(&place);
    trust_secret(&place);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(look(&place, bytes_of(texts[i])), TOKEN_MALFORMED);
    }
    static char huge[TOKEN_MAX + 1];
    memset(huge, 'A', sizeof(huge));
    huge[10] = huge[20] = '.';
    assert_int_equal(look(&place, bytes_make(huge, sizeof(huge))), TOKEN_MALFORMED);
    close_place(&place);
}

static void test_claims_that_nest(void **state) {
    (void)state;
    char claims[200] = "{\"a\":";
    struct place place;
    struct bytes found;
    open_place(&place);
    trust_secret(&place);
    memset(claims + 5, '[', 60);
    memset(claims + 65, ']', 60);
    claims[125] = '}';
    claims[126] = '\0';
    sign_token("{\"alg\":\"HS256\"}", claims, "HS256", NULL, secret(), &place.token);
    assert_int_equal(token_open(&place.keys, buf_bytes(&place.token), &place.room, &found),
                     TOKEN_MALFORMED);
    close_place(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_algorithm),
        cmocka_unit_test(test_no_signature_is_no_signature),
        cmocka_unit_test(test_a_public_key_is_no_secret),
        cmocka_unit_test(test_a_key_that_the_token_brings),
        cmocka_unit_test(test_headers_that_mean_something_else),
        cmocka_unit_test(test_what_is_no_token),
        cmocka_unit_test(test_claims_that_nest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
