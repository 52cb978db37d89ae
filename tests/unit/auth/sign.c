#include "sign.h"

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/base64url.h"
#include "support.h"

EVP_PKEY *sign_new_key(const char *kind) {
    EVP_PKEY *pkey;
    if (strcmp(kind, "RSA") == 0) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    } else if (strcmp(kind, "ED25519") == 0) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    }
    assert_non_null(pkey);
    return pkey;
}

void sign_public_pem(EVP_PKEY *pkey, struct buf *out) {
    char *text;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    long len = BIO_get_mem_data(bio, &text);
    assert_int_equal(buf_append(out, text, (size_t)len), 0);
    BIO_free(bio);
}

static size_t sign_with_secret(const struct algorithm *algorithm, struct bytes secret,
                               struct bytes text, unsigned char *out, size_t room) {
    size_t size = 0;
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, algorithm->digest, NULL, secret.at, secret.len,
                              (const unsigned char *)text.at, text.len, out, room, &size));
    return size;
}

static size_t sign_with_key(const struct algorithm *algorithm, EVP_PKEY *pkey, struct bytes text,
                            unsigned char *out, size_t room) {
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx;
    assert_int_equal(EVP_DigestSignInit_ex(md, &ctx, algorithm->digest, NULL, NULL, pkey, NULL), 1);
    if (algorithm->pss) {
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST);
    }
    assert_int_equal(EVP_DigestSign(md, out, &room, (const unsigned char *)text.at, text.len), 1);
    EVP_MD_CTX_free(md);
    return room;
}

// From ASN.1 to two numbers side by side.
static size_t widen(const struct algorithm *algorithm, unsigned char *signature, size_t len) {
    const unsigned char *at = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    int width = (int)algorithm->size;
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, width), width);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + width, width), width);
    ECDSA_SIG_free(pair);
    return 2 * algorithm->size;
}

void sign_token(const char *header, const char *claims, const char *name, EVP_PKEY *pkey,
                struct bytes secret, struct buf *out) {
    unsigned char signature[1024];
    const struct algorithm *algorithm = algorithm_find(bytes_of(name));
    size_t start = out->len;
    assert_non_null(algorithm);
    assert_int_equal(base64url_encode(bytes_of(header), out), 0);
    assert_int_equal(buf_append(out, ".", 1), 0);
    assert_int_equal(base64url_encode(bytes_of(claims), out), 0);
    struct bytes text = bytes_make(out->at + start, out->len - start);
    size_t len = pkey ? sign_with_key(algorithm, pkey, text, signature, sizeof(signature))
                      : sign_with_secret(algorithm, secret, text, signature, sizeof(signature));
    if (algorithm->family == KEY_P256 || algorithm->family == KEY_P384 ||
        algorithm->family == KEY_P521) {
        len = widen(algorithm, signature, len);
    }
    assert_int_equal(buf_append(out, ".", 1), 0);
    assert_int_equal(base64url_encode(bytes_make((const char *)signature, len), out), 0);
}
