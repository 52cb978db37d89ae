// Signatures as tokens carry them (RFC 7518, section 3): an HMAC as it is, RSA as it is, and of an
// elliptic curve the two numbers side by side, which OpenSSL wants as ASN.1.
#include "auth/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/error.h"

enum { SIGNATURE_MAX = 1024, CURVE_NAME_MAX = 64 };

static int refuse(const char **problem, const char *what) {
    ERR_clear_error();
    *problem = what;
    return ERR_INVALID;
}

int key_from_secret(struct key *key, struct bytes secret, const char **problem) {
    *key = (struct key){.family = KEY_SECRET};
    if (secret.len < KEY_SECRET_MIN) {
        return refuse(problem,
                      "a secret needs at least 32 bytes; `openssl rand -base64 48` makes one");
    }
    char *copy = malloc(secret.len);
    if (!copy) {
        return ERR_NOMEM;
    }
    memcpy(copy, secret.at, secret.len);
    key->secret = bytes_make(copy, secret.len);
    return 0;
}

static bool family_of_curve(const EVP_PKEY *pkey, enum key_family *family) {
    char name[CURVE_NAME_MAX];
    if (!EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name),
                                        NULL)) {
        return false;
    }
    struct bytes curve = bytes_of(name);
    *family = bytes_is(curve, "prime256v1")  ? KEY_P256
              : bytes_is(curve, "secp384r1") ? KEY_P384
                                             : KEY_P521;
    return *family != KEY_P521 || bytes_is(curve, "secp521r1");
}

static int look_at(struct key *key, EVP_PKEY *pkey, const char **problem) {
    *key = (struct key){.pkey = pkey};
    bool fine = true;
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        key->family = KEY_RSA;
        if (EVP_PKEY_get_bits(pkey) < KEY_RSA_BITS_MIN) {
            return refuse(problem, "an RSA key needs at least 2048 bits");
        }
    } else if (EVP_PKEY_is_a(pkey, "EC")) {
        fine = family_of_curve(pkey, &key->family);
    } else {
        key->family = KEY_ED25519;
        fine = EVP_PKEY_is_a(pkey, "ED25519");
    }
    return fine ? 0 : refuse(problem, "tokens are signed with RSA, P-256, P-384, P-521 or Ed25519");
}

int key_from_pkey(struct key *key, EVP_PKEY *pkey, const char **problem) {
    int rc = look_at(key, pkey, problem);
    if (rc) {
        key_finish(key);
    }
    return rc;
}

static EVP_PKEY *read_certificate(BIO *bio) {
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *pkey = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return pkey;
}

static bool holds(struct bytes text, const char *word) {
    return text.len && memmem(text.at, text.len, word, strlen(word));
}

int key_from_pem(struct key *key, struct bytes pem, const char **problem) {
    *key = (struct key){0};
    if (holds(pem, "PRIVATE KEY-----")) {
        return refuse(problem, "this is a private key, which only the one who signs may have; "
                               "`openssl pkey -pubout` makes the public one");
    }
    if (pem.len > INT32_MAX) {
        return refuse(problem, "it is too long");
    }
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    if (!bio) {
        return ERR_NOMEM;
    }
    EVP_PKEY *pkey = holds(pem, "BEGIN CERTIFICATE") ? read_certificate(bio)
                                                     : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!pkey) {
        return refuse(problem, "there is no public key and no certificate in it");
    }
    return key_from_pkey(key, pkey, problem);
}

void key_finish(struct key *key) {
    EVP_PKEY_free(key->pkey);
    if (key->secret.at) {
        OPENSSL_cleanse((char *)(uintptr_t)key->secret.at, key->secret.len);
    }
    free((char *)(uintptr_t)key->secret.at);
    free((char *)(uintptr_t)key->id.at);
    *key = (struct key){0};
}

static bool verify_secret(const struct key *key, const struct algorithm *algorithm,
                          struct bytes text, struct bytes signature) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t size = 0;
    if (key->secret.len < algorithm->size || signature.len != algorithm->size) {
        return false;
    }
    return EVP_Q_mac(NULL, "HMAC", NULL, algorithm->digest, NULL, key->secret.at, key->secret.len,
                     (const unsigned char *)text.at, text.len, mac, sizeof(mac), &size) &&
           size == signature.len && CRYPTO_memcmp(mac, signature.at, size) == 0;
}

static bool use_pss(EVP_PKEY_CTX *ctx, const struct algorithm *algorithm) {
    return !algorithm->pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
                               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

static bool verify_public(const struct key *key, const struct algorithm *algorithm,
                          struct bytes text, struct bytes signature) {
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx; // the other's
    bool right =
        md &&
        EVP_DigestVerifyInit_ex(md, &ctx, algorithm->digest, NULL, NULL, key->pkey, NULL) == 1 &&
        use_pss(ctx, algorithm) &&
        EVP_DigestVerify(md, (const unsigned char *)signature.at, signature.len,
                         (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return right;
}

// Two numbers of a fixed width, as a sequence of two integers: its length, or 0.
static int write_as_asn1(const struct algorithm *algorithm, struct bytes signature,
                         unsigned char *out) {
    const unsigned char *at = (const unsigned char *)signature.at;
    int width = (int)algorithm->size, len = 0;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(at, width, NULL), *s = BN_bin2bn(at + width, width, NULL);
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s)) {
        len = i2d_ECDSA_SIG(pair, &out);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return len > 0 ? len : 0;
}

static bool verify_elliptic(const struct key *key, const struct algorithm *algorithm,
                            struct bytes text, struct bytes signature) {
    unsigned char asn1[SIGNATURE_MAX];
    if (signature.len != 2 * algorithm->size) {
        return false;
    }
    int len = write_as_asn1(algorithm, signature, asn1);
    return len && verify_public(key, algorithm, text, bytes_make((const char *)asn1, (size_t)len));
}

bool key_verify(const struct key *key, const struct algorithm *algorithm, struct bytes text,
                struct bytes signature) {
    if (key->family != algorithm->family || (key->only && key->only != algorithm)) {
        return false;
    }
    switch (key->family) {
    case KEY_SECRET:
        return verify_secret(key, algorithm, text, signature);
    case KEY_P256:
    case KEY_P384:
    case KEY_P521:
        return verify_elliptic(key, algorithm, text, signature);
    case KEY_RSA:
    case KEY_ED25519:
        return verify_public(key, algorithm, text, signature);
    }
    return false;
}
