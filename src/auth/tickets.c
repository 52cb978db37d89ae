// Issuing and redeeming. What has expired goes when somebody comes by: all last equally long, so it is
// what stands in front.
#include "auth/tickets.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "auth/base64url.h"
#include "base/error.h"
#include "base/random.h"

struct ticket {
    struct map_node node;
    struct list link;
    struct identity *identity;
    int64_t expires_ms;
    char text[TICKET_TEXT];
};

static struct ticket *ticket_of(struct list *link) {
    return container_of(link, struct ticket, link);
}

static uint64_t hash_of(const struct tickets *tickets, const char *text) {
    return hash_bytes(&tickets->key, text, TICKET_TEXT);
}

static bool same_text(const struct map_node *node, const void *text) {
    return CRYPTO_memcmp(container_of(node, const struct ticket, node)->text, text, TICKET_TEXT) ==
           0;
}

void tickets_init(struct tickets *tickets, const struct hash_key *key, size_t most) {
    pthread_mutex_init(&tickets->lock, NULL);
    tickets->key = *key;
    tickets->most = most;
    map_init(&tickets->map, &mem_libc);
    list_init(&tickets->order);
}

void tickets_limit(struct tickets *tickets, size_t most) {
    pthread_mutex_lock(&tickets->lock);
    tickets->most = most;
    pthread_mutex_unlock(&tickets->lock);
}

// Out of the table; its memory goes, and its identity is the caller's.
static struct identity *take_out(struct tickets *tickets, struct ticket *ticket) {
    struct identity *identity = ticket->identity;
    map_remove(&tickets->map, &ticket->node);
    list_remove(&ticket->link);
    OPENSSL_cleanse(ticket->text, TICKET_TEXT);
    free(ticket);
    return identity;
}

static void drop_expired(struct tickets *tickets, int64_t now_ms) {
    while (!list_empty(&tickets->order) && ticket_of(tickets->order.next)->expires_ms <= now_ms) {
        identity_unref(take_out(tickets, ticket_of(tickets->order.next)));
    }
}

void tickets_finish(struct tickets *tickets) {
    drop_expired(tickets, INT64_MAX);
    map_finish(&tickets->map);
    pthread_mutex_destroy(&tickets->lock);
}

static int write_text(char text[TICKET_TEXT]) {
    char secret[TICKET_BYTES];
    struct buf buf;
    int rc = random_seed(secret, sizeof(secret));
    buf_init(&buf, &mem_libc, 0);
    rc = rc ? rc : base64url_encode(bytes_make(secret, sizeof(secret)), &buf);
    if (rc == 0) {
        memcpy(text, buf.at, TICKET_TEXT);
    }
    buf_finish(&buf);
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}

static int put_in(struct tickets *tickets, struct ticket *ticket, int64_t now_ms) {
    drop_expired(tickets, now_ms);
    if (tickets->map.count >= tickets->most) {
        return ERR_TOO_LARGE;
    }
    int rc = map_insert(&tickets->map, &ticket->node, hash_of(tickets, ticket->text));
    if (rc == 0) {
        list_push_back(&tickets->order, &ticket->link);
    }
    return rc;
}

int tickets_issue(struct tickets *tickets, struct identity *identity, int64_t now_ms,
                  int64_t lasts_ms, char text[TICKET_TEXT]) {
    struct ticket *ticket = malloc(sizeof(*ticket));
    if (!ticket) {
        return ERR_NOMEM;
    }
    *ticket = (struct ticket){.identity = identity, .expires_ms = now_ms + lasts_ms};
    int rc = write_text(ticket->text);
    memcpy(text, ticket->text, TICKET_TEXT);
    pthread_mutex_lock(&tickets->lock);
    rc = rc ? rc : put_in(tickets, ticket, now_ms);
    if (rc == 0) {
        identity_ref(identity);
    }
    pthread_mutex_unlock(&tickets->lock);
    if (rc) {
        free(ticket);
    }
    return rc;
}

struct identity *tickets_redeem(struct tickets *tickets, struct bytes text, int64_t now_ms) {
    struct identity *identity = NULL;
    if (text.len != TICKET_TEXT) {
        return NULL;
    }
    pthread_mutex_lock(&tickets->lock);
    drop_expired(tickets, now_ms);
    struct map_node *node = map_find(&tickets->map, hash_of(tickets, text.at), same_text, text.at);
    if (node) {
        identity = take_out(tickets, container_of(node, struct ticket, node));
    }
    pthread_mutex_unlock(&tickets->lock);
    return identity;
}
