// What a token costs to check: from its text to its claims, beside a bare loop of OpenSSL's verification
// of the same signature over the same bytes. By processor time, alternating, so that other programs
// do not count. Prints a line for each algorithm.
//
//     bench-token [SECONDS]
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/claims.h"
#include "auth/token.h"
#include "lab.h"

enum { SIGNATURE_MAX = 512, STRETCH = 200 };

static const char SECRET[] = "a secret that is long enough to sign tokens with";
static const char CLAIMS[] =
    "{\"sub\":\"7f3c2a1e-93c1-4a0e-8f62-1d1f0c9f9a11\",\"iss\":\"https://"
    "login.example\",\"aud\":\"events\","
    "\"iat\":1700000000,\"exp\":4000000000,\"freshet\":{\"subscribe\":[\"users/{sub}/*\",\"news\"],"
    "\"publish\":[]}}";

struct trial {
    const char *name;
    const struct algorithm *algorithm;
    EVP_PKEY *pkey; // NULL: the secret
    struct key_set keys;
    struct buf token;
    struct bytes text;                      // what is signed
    unsigned char signature[SIGNATURE_MAX]; // as OpenSSL makes it
    size_t signature_len;
};

static void must(bool truth, const char *what) {
    if (!truth) {
        lab_give_up(what);
    }
}

static size_t mac(const struct trial *trial, unsigned char *out) {
    size_t size = 0;
    must(EVP_Q_mac(NULL, "HMAC", NULL, trial->algorithm->digest, NULL, SECRET, strlen(SECRET),
                   (const unsigned char *)trial->text.at, trial->text.len, out, SIGNATURE_MAX,
                   &size) != NULL,
         "no HMAC");
    return size;
}

static void sign(struct trial *trial) {
    if (!trial->pkey) {
        trial->signature_len = mac(trial, trial->signature);
        return;
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    trial->signature_len = sizeof(trial->signature);
    must(EVP_DigestSignInit_ex(md, NULL, trial->algorithm->digest, NULL, NULL, trial->pkey, NULL) ==
                 1 &&
             EVP_DigestSign(md, trial->signature, &trial->signature_len,
                            (const unsigned char *)trial->text.at, trial->text.len) == 1,
         "no signature");
    EVP_MD_CTX_free(md);
}

// As tokens carry it: of a curve, two numbers side by side.
static struct bytes carried(const struct trial *trial, unsigned char *room) {
    const unsigned char *at = trial->signature;
    if (trial->algorithm->family != KEY_P256) {
        return bytes_make((const char *)trial->signature, trial->signature_len);
    }
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)trial->signature_len);
    int width = (int)trial->algorithm->size;
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), room, width);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), room + width, width);
    ECDSA_SIG_free(pair);
    return bytes_make((const char *)room, 2 * trial->algorithm->size);
}

static void trust(struct trial *trial) {
    const char *problem;
    key_set_init(&trial->keys);
    if (!trial->pkey) {
        must(key_set_add_secret(&trial->keys, bytes_of(SECRET), &problem) == 0, "no secret");
        return;
    }
    trial->keys.keys = calloc(1, sizeof(*trial->keys.keys));
    trial->keys.count = 1;
    EVP_PKEY_up_ref(trial->pkey);
    must(trial->keys.keys && key_from_pkey(trial->keys.keys, trial->pkey, &problem) == 0, "no key");
}

static void prepare(struct trial *trial, const char *name, EVP_PKEY *pkey) {
    unsigned char room[SIGNATURE_MAX];
    char header[64];
    *trial =
        (struct trial){.name = name, .algorithm = algorithm_find(bytes_of(name)), .pkey = pkey};
    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"}", name);
    buf_init(&trial->token, &mem_libc, 0);
    must(buf_reserve(&trial->token, TOKEN_MAX) == 0, "no memory");
    base64url_encode(bytes_of(header), &trial->token);
    buf_append(&trial->token, ".", 1);
    base64url_encode(bytes_of(CLAIMS), &trial->token);
    trial->text = buf_bytes(&trial->token);
    sign(trial);
    buf_append(&trial->token, ".", 1);
    base64url_encode(carried(trial, room), &trial->token);
    trust(trial);
}

static void check_token(const struct trial *trial, struct buf *room) {
    static const struct claims_policy policy = {.member = "freshet"};
    struct bytes object;
    struct claims claims;
    const char *problem;
    must(token_open(&trial->keys, buf_bytes(&trial->token), room, &object) == TOKEN_FINE &&
             claims_read(&claims, object, &policy, 1700000000000, &problem),
         "the token is refused");
    claims_finish(&claims);
}

static void check_bare(const struct trial *trial) {
    unsigned char room[SIGNATURE_MAX];
    if (!trial->pkey) {
        must(mac(trial, room) == trial->signature_len, "another size");
        return;
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    must(EVP_DigestVerifyInit_ex(md, NULL, trial->algorithm->digest, NULL, NULL, trial->pkey,
                                 NULL) == 1 &&
             EVP_DigestVerify(md, trial->signature, trial->signature_len,
                              (const unsigned char *)trial->text.at, trial->text.len) == 1,
         "OpenSSL refuses the signature");
    EVP_MD_CTX_free(md);
}

static void measure(const struct trial *trial, double seconds) {
    double token = 0, bare = 0;
    long rounds = 0;
    struct buf room;
    buf_init(&room, &mem_libc, 0);
    while (token < seconds) {
        double start = lab_now_s(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < STRETCH; i++) {
            check_token(trial, &room);
        }
        double middle = lab_now_s(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < STRETCH; i++) {
            check_bare(trial);
        }
        token += middle - start;
        bare += lab_now_s(CLOCK_THREAD_CPUTIME_ID) - middle;
        rounds += STRETCH;
    }
    buf_finish(&room);
    printf("%s tokens_per_s=%.0f bare_per_s=%.0f us_more=%.1f ratio=%.2f\n", trial->name,
           (double)rounds / token, (double)rounds / bare, (token - bare) / (double)rounds * 1e6,
           token / bare);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    struct trial trial;
    prepare(&trial, "HS256", NULL);
    measure(&trial, seconds);
    prepare(&trial, "RS256", EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
    measure(&trial, seconds);
    prepare(&trial, "ES256", EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    measure(&trial, seconds);
    prepare(&trial, "EdDSA", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    measure(&trial, seconds);
    return 0;
}
