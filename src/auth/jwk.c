// Reading one JSON Web Key. Members that are not known mean nothing; a known one that comes twice is a
// mistake, because two readers could take it differently.
#include "auth/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "auth/base64url.h"
#include "base/error.h"
#include "base/json.h"

enum { NUMBER_MAX = 2048 }; // bytes of a number: RSA keys of 16384 bits

enum member { KTY, KID, USE, KEY_OPS, ALG, CRV, N, E, X, Y, K, PRIVATE, MEMBERS };

static const char *const names[MEMBERS] = {"kty", "kid", "use", "key_ops", "alg", "crv",
                                           "n",   "e",   "x",   "y",       "k",   "d"};

struct jwk {
    struct bytes values[MEMBERS]; // as JSON; at NULL: not there
};

static int refuse(const char **problem, const char *what) {
    ERR_clear_error();
    *problem = what;
    return ERR_INVALID;
}

static int note(struct jwk *jwk, struct bytes name, struct bytes value, const char **problem) {
    for (int i = 0; i < MEMBERS; i++) {
        if (bytes_is(name, names[i])) {
            if (jwk->values[i].at) {
                return refuse(problem, "a member of the key comes twice");
            }
            jwk->values[i] = value;
        }
    }
    return 0;
}

static int read_members(struct jwk *jwk, struct bytes object, const char **problem) {
    struct json_iter iter;
    struct bytes value;
    struct buf name;
    *jwk = (struct jwk){0};
    if (json_kind(object) != JSON_OBJECT || json_object_init(&iter, object)) {
        return refuse(problem, "a key is a JSON object");
    }
    buf_init(&name, &mem_libc, 0);
    int rc;
    while ((rc = json_object_next(&iter, &name, &value)) == 1) {
        rc = note(jwk, buf_bytes(&name), value, problem);
        if (rc) {
            break;
        }
    }
    buf_finish(&name);
    return rc;
}

// The text of a member, into `out` (what it held is dropped). ERR_NOT_FOUND: there is none.
static int text_of(const struct jwk *jwk, enum member member, struct buf *out) {
    struct bytes value = jwk->values[member];
    buf_clear(out);
    if (!value.at) {
        return ERR_NOT_FOUND;
    }
    return json_kind(value) == JSON_STRING ? json_string_decode(value, out) : ERR_INVALID;
}

static bool says(const struct jwk *jwk, enum member member, const char *text) {
    struct buf found;
    buf_init(&found, &mem_libc, 0);
    bool same = text_of(jwk, member, &found) == 0 && bytes_is(buf_bytes(&found), text);
    buf_finish(&found);
    return same;
}

// The bytes that a member writes in base64, appended: 0, ERR_NOMEM or ERR_INVALID.
static int number_of(const struct jwk *jwk, enum member member, struct buf *out) {
    struct buf text;
    buf_init(&text, &mem_libc, 2 * NUMBER_MAX);
    int rc = text_of(jwk, member, &text);
    rc = rc ? rc : base64url_decode(buf_bytes(&text), out);
    buf_finish(&text);
    return rc == ERR_NOMEM || rc == 0 ? rc : ERR_INVALID;
}

static bool lists_verify(struct bytes ops) {
    struct json_iter iter;
    struct bytes value;
    if (json_array_init(&iter, ops)) {
        return false;
    }
    while (json_array_next(&iter, &value) == 1) {
        if (bytes_is(value, "\"verify\"")) {
            return true;
        }
    }
    return false;
}

static bool is_for_signatures(const struct jwk *jwk) {
    bool use = !jwk->values[USE].at || says(jwk, USE, "sig");
    return use && (!jwk->values[KEY_OPS].at || lists_verify(jwk->values[KEY_OPS]));
}

static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *build) {
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static EVP_PKEY *make_rsa(struct bytes modulus, struct bytes exponent) {
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn((const unsigned char *)modulus.at, (int)modulus.len, NULL);
    BIGNUM *e = BN_bin2bn((const unsigned char *)exponent.at, (int)exponent.len, NULL);
    EVP_PKEY *pkey = NULL;
    if (build && n && e && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)) {
        pkey = make("RSA", build);
    }
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static EVP_PKEY *make_elliptic(const char *group, struct bytes point) {
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.at, point.len)) {
        pkey = make("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static int take(struct key *key, EVP_PKEY *pkey, const char **problem) {
    return pkey ? key_from_pkey(key, pkey, problem) : refuse(problem, "its numbers make no key");
}

static int read_rsa(struct key *key, const struct jwk *jwk, struct buf *n, const char **problem) {
    struct buf e;
    buf_init(&e, &mem_libc, NUMBER_MAX);
    int rc = number_of(jwk, N, n);
    rc = rc ? rc : number_of(jwk, E, &e);
    if (rc == ERR_INVALID) {
        rc = refuse(problem, "an RSA key has `n` and `e`, in base64 for URLs");
    }
    rc = rc ? rc : take(key, make_rsa(buf_bytes(n), buf_bytes(&e)), problem);
    buf_finish(&e);
    return rc;
}

struct curve {
    const char *name, *group;
    size_t width;
};

static const struct curve *curve_of(const struct jwk *jwk) {
    static const struct curve curves[] = {
        {"P-256", "prime256v1", 32},
        {"P-384", "secp384r1", 48},
        {"P-521", "secp521r1", 66},
    };
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (says(jwk, CRV, curves[i].name)) {
            return &curves[i];
        }
    }
    return NULL;
}

// The point is written uncompressed, both numbers in full width.
static int read_elliptic(struct key *key, const struct jwk *jwk, struct buf *point,
                         const char **problem) {
    const struct curve *curve = curve_of(jwk);
    if (!curve) {
        return ERR_NOT_FOUND;
    }
    int rc = buf_append(point, "\x04", 1);
    rc = rc ? rc : number_of(jwk, X, point);
    rc = rc ? rc : number_of(jwk, Y, point);
    if (rc == ERR_INVALID || (rc == 0 && point->len != 1 + 2 * curve->width)) {
        return refuse(problem, "a key of a curve has `x` and `y`, in full width");
    }
    return rc ? rc : take(key, make_elliptic(curve->group, buf_bytes(point)), problem);
}

static int read_edwards(struct key *key, const struct jwk *jwk, struct buf *x,
                        const char **problem) {
    if (!says(jwk, CRV, "Ed25519")) {
        return ERR_NOT_FOUND;
    }
    int rc = number_of(jwk, X, x);
    if (rc) {
        return rc == ERR_NOMEM ? rc : refuse(problem, "an Ed25519 key has `x`");
    }
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const unsigned char *)x->at, x->len);
    return take(key, pkey, problem);
}

static int read_secret(struct key *key, const struct jwk *jwk, struct buf *k,
                       const char **problem) {
    int rc = number_of(jwk, K, k);
    if (rc) {
        return rc == ERR_NOMEM ? rc : refuse(problem, "a secret key has `k`");
    }
    return key_from_secret(key, buf_bytes(k), problem);
}

static int read_kind(struct key *key, const struct jwk *jwk, const char **problem) {
    struct buf room;
    int rc = ERR_NOT_FOUND;
    buf_init(&room, &mem_libc, NUMBER_MAX);
    if (says(jwk, KTY, "RSA")) {
        rc = read_rsa(key, jwk, &room, problem);
    } else if (says(jwk, KTY, "EC")) {
        rc = read_elliptic(key, jwk, &room, problem);
    } else if (says(jwk, KTY, "OKP")) {
        rc = read_edwards(key, jwk, &room, problem);
    } else if (says(jwk, KTY, "oct")) {
        rc = read_secret(key, jwk, &room, problem);
    }
    buf_finish(&room);
    return rc;
}

// A key that names an algorithm is for that one alone.
static int take_algorithm(struct key *key, const struct jwk *jwk) {
    struct buf name;
    if (!jwk->values[ALG].at) {
        return 0;
    }
    buf_init(&name, &mem_libc, 0);
    int rc = text_of(jwk, ALG, &name);
    key->only = rc ? NULL : algorithm_find(buf_bytes(&name));
    buf_finish(&name);
    return rc == ERR_NOMEM ? rc : key->only && key->only->family == key->family ? 0 : ERR_NOT_FOUND;
}

static int take_id(struct key *key, const struct jwk *jwk, const char **problem) {
    struct buf id;
    buf_init(&id, &mem_libc, KEY_ID_MAX);
    int rc = text_of(jwk, KID, &id);
    if (rc == 0) {
        key->id = buf_bytes(&id); // its memory is the key's from here on
        return 0;
    }
    buf_finish(&id);
    return rc == ERR_NOT_FOUND ? 0
           : rc == ERR_NOMEM   ? rc
                               : refuse(problem, "`kid` is a text of at most 256 bytes");
}

int jwk_read(struct key *key, struct bytes object, const char **problem) {
    struct jwk jwk;
    *key = (struct key){0};
    int rc = read_members(&jwk, object, problem);
    if (rc) {
        return rc;
    }
    if (jwk.values[PRIVATE].at) {
        return refuse(problem,
                      "this is a private key (`d`), which only the one who signs may have");
    }
    if (!is_for_signatures(&jwk)) {
        return ERR_NOT_FOUND;
    }
    rc = read_kind(key, &jwk, problem);
    rc = rc ? rc : take_algorithm(key, &jwk);
    rc = rc ? rc : take_id(key, &jwk, problem);
    if (rc) {
        key_finish(key);
    }
    return rc;
}
