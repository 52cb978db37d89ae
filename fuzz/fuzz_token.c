// Tokens under a fuzzer, from three sides. The first byte picks one; the rest is the header of a
// token that is signed here with a known key, the claims of one, or the whole text of one. What is not
// signed with the key is never accepted, a header never changes what the claims say, and whatever the
// claims are, nobody comes out of them with rights over a topic that no text in them names.
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/claims.h"
#include "auth/token.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "token";

static const char SECRET[] = "a secret that is long enough for the tests";
static const char FIXED_CLAIMS[] = "{\"sub\":\"ann\"}";
static const char FIXED_HEADER[] = "{\"alg\":\"HS256\"}";

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

static void sign(struct bytes header, struct bytes claims, struct buf *out) {
    unsigned char mac[32];
    size_t size = 0;
    require(base64url_encode(header, out) == 0 && buf_append(out, ".", 1) == 0 &&
            base64url_encode(claims, out) == 0);
    require(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, SECRET, sizeof(SECRET) - 1,
                      (const unsigned char *)out->at, out->len, mac, sizeof(mac), &size) != NULL);
    require(buf_append(out, ".", 1) == 0 &&
            base64url_encode(bytes_make((const char *)mac, size), out) == 0);
}

static void look_at_claims(struct bytes claims) {
    static char *wanted[] = {(char *)(uintptr_t) "users/{sub}/*"};
    static const struct texts templates = {.items = wanted, .count = 1};
    static const struct claims_policy policy = {
        .member = "freshet", .subscribe = &templates, .leeway_ms = 1000};
    struct claims read;
    const char *problem = NULL;
    bool fine = claims_read(&read, claims, &policy, 1700000000000, &problem);
    require(fine == (problem == NULL));
    // A wildcard that stands in no list, or is spelt by an escape in one, comes out of nothing.
    require(!fine || !grants_cover(&read.grants, bytes_of("users/*/inbox"), RIGHT_SUBSCRIBE) ||
            memchr(claims.at, '*', claims.len) || memchr(claims.at, '\\', claims.len));
    claims_finish(&read);
}

static void look(const struct key_set *keys, struct bytes text, bool signed_here,
                 const char *expected) {
    struct buf room;
    struct bytes claims;
    buf_init(&room, &mem_libc, 0);
    enum token_fault fault = token_open(keys, text, &room, &claims);
    require(fault != TOKEN_FINE || signed_here);
    require(token_fault_text(fault) != NULL);
    if (fault == TOKEN_FINE) {
        require(!expected || bytes_is(claims, expected));
        look_at_claims(claims);
    }
    buf_finish(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct key_set keys;
    const char *problem;
    struct buf text;
    if (len < 1 || len > 4096) {
        return 0;
    }
    struct bytes rest = bytes_make((const char *)bytes + 1, len - 1);
    key_set_init(&keys);
    buf_init(&text, &mem_libc, 0);
    require(key_set_add_secret(&keys, bytes_make(SECRET, sizeof(SECRET) - 1), &problem) == 0);
    switch (bytes[0] % 4) {
    case 0:
        sign(rest, bytes_of(FIXED_CLAIMS), &text);
        look(&keys, buf_bytes(&text), true, FIXED_CLAIMS);
        break;
    case 1:
        sign(bytes_of(FIXED_HEADER), rest, &text);
        look(&keys, buf_bytes(&text), true, NULL);
        break;
    case 2:
        look(&keys, rest, false, NULL);
        break;
    default: // a file of keys
        (void)key_set_add(&keys, rest, &problem);
        break;
    }
    buf_finish(&text);
    key_set_finish(&keys);
    return 0;
}
