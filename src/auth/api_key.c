// The text of a key: `fk_` and 256 random bits in Base64 for URLs.
#include "auth/api_key.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "auth/base64url.h"
#include "base/error.h"
#include "base/random.h"

static const char PREFIX[] = "fk_";

bool api_key_claims_to_be(struct bytes text) {
    return bytes_starts_with(text, PREFIX);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool api_key_hash(struct bytes text, unsigned char hash[API_KEY_HASH]) {
    if (text.len != API_KEY_TEXT || !api_key_claims_to_be(text)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_letter(text.at[i])) {
            return false;
        }
    }
    SHA256((const unsigned char *)text.at, text.len, hash);
    return true;
}

int api_key_make(char text[API_KEY_TEXT]) {
    char secret[API_KEY_RANDOM];
    struct buf buf;
    int rc = random_seed(secret, sizeof(secret));
    buf_init(&buf, &mem_libc, 0);
    rc = rc ? rc : buf_append_text(&buf, PREFIX);
    rc = rc ? rc : base64url_encode(bytes_make(secret, sizeof(secret)), &buf);
    if (rc == 0) {
        memcpy(text, buf.at, API_KEY_TEXT);
        OPENSSL_cleanse(buf.at, buf.len);
    }
    buf_finish(&buf);
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}
