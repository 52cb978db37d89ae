// Digests are compared, and in constant time: neither the length nor the beginning of the token can be
// felt out.
#include "auth/admin_token.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "auth/key_file.h"
#include "base/error.h"

static bool digest(struct bytes text, unsigned char out[ADMIN_TOKEN_DIGEST]) {
    return EVP_Digest(text.at, text.len, out, NULL, EVP_sha256(), NULL) == 1;
}

static bool can_be_sent(struct bytes text) {
    bool fine = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        fine = fine && c > ' ' && c < 0x7f;
    }
    return fine;
}

static const char *problem_of(struct bytes text) {
    if (text.len < ADMIN_TOKEN_MIN) {
        return "a token has at least 32 bytes: openssl rand -hex 32 makes one";
    }
    return can_be_sent(text) ? NULL : "a token has letters, digits and signs, and no blanks";
}

int admin_token_read(struct admin_token *token, const char *file, const char **why) {
    struct buf text;
    *token = (struct admin_token){.on = true};
    *why = NULL;
    buf_init(&text, &mem_libc, ADMIN_TOKEN_MAX);
    int rc = key_file_read(file, &text);
    if (rc == ERR_SYSTEM) {
        *why = strerror(errno);
    } else if (rc == ERR_TOO_LARGE) {
        *why = "it is too large for a file with a token";
    } else if (rc == 0) {
        struct bytes secret = key_file_trim(buf_bytes(&text));
        *why = problem_of(secret);
        rc = *why || digest(secret, token->digest) ? rc : ERR_NOMEM;
    }
    if (text.at) {
        OPENSSL_cleanse(text.at, text.len);
    }
    buf_finish(&text);
    return *why ? ERR_INVALID : rc;
}

bool admin_token_is(const struct admin_token *token, struct bytes text) {
    unsigned char other[ADMIN_TOKEN_DIGEST];
    return token->on && text.len <= ADMIN_TOKEN_MAX && digest(text, other) &&
           CRYPTO_memcmp(other, token->digest, sizeof(other)) == 0;
}
