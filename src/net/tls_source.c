// A pointer, its lock and what goes with it. The lock is held for an assignment; a handshake takes
// it once.
#include "net/tls_source.h"

#include "base/error.h"
#include "net/tls_wire.h"

int tls_source_init(struct tls_source *source, int64_t now) {
    *source = (struct tls_source){.wire = tls_wire_method()};
    if (!source->wire) {
        return ERR_NOMEM;
    }
    if (tls_tickets_init(&source->tickets, now)) {
        BIO_meth_free(source->wire);
        return ERR_SYSTEM;
    }
    if (pthread_mutex_init(&source->lock, NULL)) {
        tls_tickets_finish(&source->tickets);
        BIO_meth_free(source->wire);
        return ERR_SYSTEM;
    }
    return 0;
}

void tls_source_finish(struct tls_source *source) {
    tls_certs_unref(source->certs);
    tls_tickets_finish(&source->tickets);
    pthread_mutex_destroy(&source->lock);
    BIO_meth_free(source->wire);
}

void tls_source_replace(struct tls_source *source, struct tls_certs *certs) {
    pthread_mutex_lock(&source->lock);
    struct tls_certs *before = source->certs;
    source->certs = certs;
    pthread_mutex_unlock(&source->lock);
    tls_certs_unref(before);
}

struct tls_certs *tls_source_take(struct tls_source *source) {
    pthread_mutex_lock(&source->lock);
    struct tls_certs *certs = tls_certs_ref(source->certs);
    pthread_mutex_unlock(&source->lock);
    return certs;
}
