// Arrivals. The input is looked at (MSG_PEEK) and only what belongs to the header is taken, so that
// nothing has to be handed on with the socket. Nothing is ever answered: whoever speaks to such an
// address without the header is a stranger there, or a proxy that is set up wrongly.
#include "server/arrival.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "net/proxy_protocol.h"
#include "server/session.h"
#include "server/trust.h"
#include "server/worker.h"

struct arrival {
    struct conn conn;
    struct list link;
    struct worker *worker;
    const struct listen_spec *spec;
    struct buf have; // of the header
};

static ssize_t receive(int fd, char *into, size_t size, int flags) {
    ssize_t n;
    do {
        n = recv(fd, into, size, flags);
    } while (n < 0 && errno == EINTR);
    return n;
}

// More than 0: the header is in hand and out of the socket. 0: there is more to come. Otherwise an
// error: the peer is gone, or what came is no header.
static int read_header(struct worker *worker, int fd, struct buf *have, struct proxy_header *out) {
    char *text = worker->scratch;
    size_t old = have->len;
    if (old) {
        memcpy(text, have->at, old);
    }
    ssize_t n = receive(fd, text + old, PROXY_HEADER_MAX - old, MSG_PEEK);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : ERR_GONE;
    }
    int rc = proxy_protocol_parse(bytes_make(text, old + (size_t)n), out);
    size_t taken = rc > 0 ? (size_t)rc - old : (size_t)n;
    if (rc >= 0 && receive(fd, text + old, taken, 0) != (ssize_t)taken) {
        return ERR_GONE;
    }
    return rc ? rc : buf_append(have, text + old, taken);
}

// No memory, and a peer that went, are not the header's fault.
static void refuse(struct worker *worker, const struct peer *peer, int error) {
    char text[ADDRESS_TEXT_MAX];
    if (error == ERR_NOMEM) {
        worker_limit_hit(worker, LIMIT_MEMORY);
    } else if (error != ERR_GONE) {
        hub_count(&worker->counters.proxy_refused, 1);
        peer_format(peer, text);
        log_write(LOG_DEBUG, "no PROXY header that can be believed came from %s", text);
    }
}

static void hand_over(struct worker *worker, const struct listen_spec *spec, int fd,
                      const struct proxy_header *header, const struct peer *peer) {
    atomic_fetch_sub_explicit(&worker->server->connections, 1, memory_order_relaxed);
    worker_take(worker, spec, fd, header->known ? &header->source : peer);
}

static void end(struct arrival *arrival) {
    list_remove(&arrival->link);
    buf_finish(&arrival->have);
}

static void close_now(struct arrival *arrival) {
    atomic_fetch_sub_explicit(&arrival->worker->server->connections, 1, memory_order_relaxed);
    end(arrival);
    conn_close(&arrival->conn);
}

static struct arrival *arrival_of(struct conn *conn) {
    return container_of(conn, struct arrival, conn);
}

static void on_readable(struct conn *conn) {
    struct arrival *arrival = arrival_of(conn);
    struct proxy_header header;
    int rc = read_header(arrival->worker, conn->fd, &arrival->have, &header);
    if (rc > 0) {
        end(arrival);
        hand_over(arrival->worker, arrival->spec, conn_release(conn), &header, &conn->peer);
    } else if (rc < 0) {
        refuse(arrival->worker, &conn->peer, rc);
        close_now(arrival);
    }
}

static void on_expired(struct conn *conn) {
    worker_limit_hit(arrival_of(conn)->worker, LIMIT_HEADER_TIMEOUT);
    close_now(arrival_of(conn));
}

static void on_closed(struct conn *conn) {
    free(arrival_of(conn));
}

// It waits for nothing but input.
static const struct conn_ops arrival_ops = {
    .readable = on_readable,
    .expired = on_expired,
    .closed = on_closed,
};

static bool admit(struct worker *worker) {
    struct server *server = worker->server;
    size_t open = atomic_fetch_add_explicit(&server->connections, 1, memory_order_relaxed);
    if (open < server->settings->max_connections + SESSIONS_BEYOND) {
        return true;
    }
    atomic_fetch_sub_explicit(&server->connections, 1, memory_order_relaxed);
    worker_limit_hit(worker, LIMIT_CONNECTIONS);
    return false;
}

// The rest of the header has to be awaited: 0 or a negative error.
static int await(struct worker *worker, const struct listen_spec *spec, int fd,
                 const struct peer *peer, struct buf *have) {
    struct arrival *arrival = calloc(1, sizeof(*arrival));
    if (!arrival) {
        return ERR_NOMEM;
    }
    arrival->worker = worker;
    arrival->spec = spec;
    if (conn_open(&arrival->conn, &worker->net, fd, peer, &arrival_ops)) {
        free(arrival);
        return ERR_NOMEM;
    }
    arrival->have = *have;
    list_push_back(&worker->arrivals, &arrival->link);
    conn_set_deadline(&arrival->conn,
                      worker_now(worker) + worker->server->settings->header_timeout_ms);
    return 0;
}

void arrival_begin(struct worker *worker, const struct listen_spec *spec, int fd,
                   const struct peer *peer) {
    struct proxy_header header;
    struct buf have;
    if (!trust_has(worker->server, peer)) {
        refuse(worker, peer, ERR_INVALID);
        close(fd);
        return;
    }
    if (!admit(worker)) {
        close(fd);
        return;
    }
    buf_init(&have, &mem_libc, PROXY_HEADER_MAX);
    // Proxies send it at once, so that it is mostly there.
    int rc = read_header(worker, fd, &have, &header);
    if (rc > 0) {
        hand_over(worker, spec, fd, &header, peer);
        return;
    }
    rc = rc ? rc : await(worker, spec, fd, peer, &have);
    if (rc) {
        refuse(worker, peer, rc);
        buf_finish(&have);
        atomic_fetch_sub_explicit(&worker->server->connections, 1, memory_order_relaxed);
        close(fd);
    }
}

void arrivals_close_all(struct worker *worker) {
    while (!list_empty(&worker->arrivals)) {
        close_now(container_of(worker->arrivals.next, struct arrival, link));
    }
}
