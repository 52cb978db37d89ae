// A certificate for development, made on the spot: EC P-256, good for localhost, the loopback
// addresses and this machine's name, for a year. It is kept, because whoever trusts it should have
// to do that once. Any one thread.
#ifndef NET_TLS_SELF_SIGNED_H
#define NET_TLS_SELF_SIGNED_H

#include <stddef.h>

enum { TLS_FINGERPRINT_MAX = 96 }; // SHA-256 as AB:CD:…, terminated

struct tls_self_signed {
    char server[4096]; // the file with key and certificate, for this server only
    char cert[4096];   // the file with the certificate, for those who are to trust it
    char fingerprint[TLS_FINGERPRINT_MAX];
};

// Finds the certificate in this folder, or makes a new one there when there is none that is good for
// another week and for this host name. 0; ERR_SYSTEM with errno; ERR_TOO_LARGE (the path); ERR_NOMEM.
int tls_self_signed_prepare(struct tls_self_signed *out, const char *folder, const char *host);

#endif
