// Certificates and keys in PEM files, and sentences for what can be wrong with them. Never asks for
// a passphrase: a server has nobody to ask. Any one thread.
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include <openssl/ssl.h>

#include "net/tls_certs.h"

// Writes a sentence and returns the error.
int tls_files_refuse(char problem[TLS_PROBLEM_MAX], int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// What OpenSSL calls for a passphrase; notes in *asked, a bool (NULL: nowhere), that it did.
int tls_files_no_passphrase(char *buffer, int size, int writing, void *asked);

// Puts a certificate with its chain, and its key, into the context: 0, or ERR_INVALID or ERR_SYSTEM
// and a sentence. Warns in the log of a certificate whose time is over or has not come, and of a key
// that everyone can read.
int tls_files_use_pair(SSL_CTX *context, const char *cert, const char *key,
                       char problem[TLS_PROBLEM_MAX]);

// Asks clients for a certificate that one of these authorities signed (NULL: does not ask), and lets
// in those who show none if that is optional. Who shows another is refused in any case.
int tls_files_use_clients(SSL_CTX *context, const char *authorities, bool optional,
                          char problem[TLS_PROBLEM_MAX]);

#endif
