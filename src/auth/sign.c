// A header that is always the same, the claims, and an HMAC of both.
#include "auth/sign.h"

#include <openssl/evp.h>

#include "auth/base64url.h"
#include "auth/key.h"
#include "base/error.h"

enum { MAC_SIZE = 32 };

int sign_claims(struct bytes secret, struct bytes claims, struct buf *out) {
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[MAC_SIZE];
    size_t start = out->len, size = 0;
    if (secret.len < KEY_SECRET_MIN) {
        return ERR_INVALID;
    }
    int rc = base64url_encode(bytes_of(header), out);
    rc = rc ? rc : buf_append(out, ".", 1);
    rc = rc ? rc : base64url_encode(claims, out);
    if (rc == 0 && !EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, secret.at, secret.len,
                              (const unsigned char *)out->at + start, out->len - start, mac,
                              sizeof(mac), &size)) {
        rc = ERR_NOMEM;
    }
    rc = rc ? rc : buf_append(out, ".", 1);
    rc = rc ? rc : base64url_encode(bytes_make((const char *)mac, size), out);
    if (rc) {
        out->len = start;
    }
    return rc;
}
