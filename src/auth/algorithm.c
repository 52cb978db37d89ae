// The table of algorithms.
#include "auth/algorithm.h"

static const struct algorithm algorithms[] = {
    {"HS256", KEY_SECRET, "SHA256", 32},
    {"HS384", KEY_SECRET, "SHA384", 48},
    {"HS512", KEY_SECRET, "SHA512", 64},
    {"RS256", KEY_RSA, "SHA256", 32},
    {"RS384", KEY_RSA, "SHA384", 48},
    {"RS512", KEY_RSA, "SHA512", 64},
    {"PS256", KEY_RSA, "SHA256", 32, .pss = true},
    {"PS384", KEY_RSA, "SHA384", 48, .pss = true},
    {"PS512", KEY_RSA, "SHA512", 64, .pss = true},
    {"ES256", KEY_P256, "SHA256", 32},
    {"ES384", KEY_P384, "SHA384", 48},
    {"ES512", KEY_P521, "SHA512", 66},
    {"EdDSA", KEY_ED25519, NULL, 32},
    {"Ed25519", KEY_ED25519, NULL, 32}, // the name that RFC 9864 gives it
};

const struct algorithm *algorithm_find(struct bytes name) {
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (bytes_is(name, algorithms[i].name)) {
            return &algorithms[i];
        }
    }
    return NULL;
}
