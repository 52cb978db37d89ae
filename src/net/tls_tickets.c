// Ticket keys, in memory only: a restart forgets them, and its clients shake hands in full once. A
// key seals for one period and opens for as long as the tickets that it sealed are good.
#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

static int add_key(struct tls_tickets *tickets, int64_t now) {
    struct tls_ticket_key key;
    if (RAND_bytes((unsigned char *)&key, sizeof(key)) != 1) {
        return ERR_SYSTEM;
    }
    memmove(tickets->keys + 1, tickets->keys, (TLS_TICKET_KEYS - 1) * sizeof(key));
    tickets->keys[0] = key;
    tickets->count += tickets->count < TLS_TICKET_KEYS;
    tickets->since = now;
    OPENSSL_cleanse(&key, sizeof(key));
    return 0;
}

int tls_tickets_init(struct tls_tickets *tickets, int64_t now) {
    *tickets = (struct tls_tickets){0};
    if (pthread_mutex_init(&tickets->lock, NULL)) {
        return ERR_SYSTEM;
    }
    if (add_key(tickets, now)) {
        pthread_mutex_destroy(&tickets->lock);
        return ERR_SYSTEM;
    }
    return 0;
}

void tls_tickets_finish(struct tls_tickets *tickets) {
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
}

void tls_tickets_tick(struct tls_tickets *tickets, int64_t now) {
    pthread_mutex_lock(&tickets->lock);
    if (now - tickets->since >= TLS_TICKET_ROTATE_SECONDS) {
        // Without randomness the old key goes on, and this is tried again.
        (void)add_key(tickets, now);
    }
    pthread_mutex_unlock(&tickets->lock);
}

// A copy of the key of this name (NULL: the newest); its place, or -1.
static int find(struct tls_tickets *tickets, const unsigned char *name,
                struct tls_ticket_key *out) {
    int place = -1;
    pthread_mutex_lock(&tickets->lock);
    for (unsigned i = 0; i < tickets->count && place < 0; i++) {
        if (!name || CRYPTO_memcmp(tickets->keys[i].name, name, sizeof(out->name)) == 0) {
            *out = tickets->keys[i];
            place = (int)i;
        }
    }
    pthread_mutex_unlock(&tickets->lock);
    return place;
}

static int set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key) {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters);
}

static int seal(struct tls_ticket_key *key, unsigned char *name, unsigned char *iv,
                EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac) {
    memcpy(name, key->name, sizeof(key->name));
    return RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
           EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) &&
           set_mac(mac, key);
}

static int open_sealed(struct tls_ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                       EVP_MAC_CTX *mac) {
    return EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) &&
           set_mac(mac, key);
}

// What OpenSSL asks for: 1; 0 for a ticket of nobody's; 2 for one that wants replacing; -1.
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing) {
    struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_ticket_key key;
    int place = find(tickets, sealing ? NULL : name, &key);
    if (place < 0) {
        return 0;
    }
    int rc = sealing ? seal(&key, name, iv, cipher, mac) : open_sealed(&key, iv, cipher, mac);
    OPENSSL_cleanse(&key, sizeof(key));
    // With 1.3 a ticket is for one use: who came with one gets another.
    bool replace = place > 0 || SSL_version(ssl) >= TLS1_3_VERSION;
    return !rc ? -1 : replace ? 2 : 1;
}

void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context) {
    SSL_CTX_set_app_data(context, tickets);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    SSL_CTX_set_timeout(context, TLS_TICKET_SECONDS);
    // One is what an event stream needs to come back with; each more costs memory and time.
    SSL_CTX_set_num_tickets(context, 1);
}
