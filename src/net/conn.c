// Sockets by their system calls; readiness.h tells when they are ready. A send is a send(2) there
// and then: there is no queue in between, because a cursor that lags is all the queue there is.
#include "net/conn.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"

enum { TICK_MS = 100, LEAVE_MS = 2000, HANDSHAKES_MAX = 1024 };

static void close_now(struct conn *conn);

static void on_ready(void *who, unsigned events) {
    struct conn *conn = who;
    bool broken = events & READY_ERROR;
    if (conn->tls) {
        if (tls_ready(conn, events)) {
            close_now(conn);
        }
        return;
    }
    events &= conn->events;
    // An error is found by whoever reads: recv(2) returns it, behind the bytes that came before it.
    if (!conn->closing && (events & CONN_READ || (broken && conn->events))) {
        conn->ops->readable(conn);
    }
    if (!conn->closing && !broken && events & CONN_WRITE) {
        conn->ops->writable(conn);
    }
}

void conn_attach(struct conn *conn, struct conn_loop *loop, int fd, const struct peer *peer,
                 const struct conn_ops *ops) {
    conn->loop = loop;
    conn->ops = ops;
    conn->tls = NULL;
    conn->fd = fd;
    conn->peer = *peer;
    conn->events = 0;
    conn->closing = false;
    wheel_node_init(&conn->timer);
}

int conn_secure(struct conn *conn, struct tls_source *source) {
    return tls_attach(conn, source);
}

int conn_start(struct conn *conn) {
    int rc = readiness_add(&conn->loop->readiness, conn->fd, CONN_READ, conn);
    if (rc == 0) {
        conn->events = CONN_READ;
        conn->loop->open++;
    } else if (conn->tls) {
        tls_detach(conn);
    }
    return rc;
}

int conn_open(struct conn *conn, struct conn_loop *loop, int fd, const struct peer *peer,
              const struct conn_ops *ops) {
    conn_attach(conn, loop, fd, peer, ops);
    return conn_start(conn);
}

static void reap(struct conn_loop *loop) {
    struct list *link;
    while ((link = list_pop_front(&loop->closing))) {
        struct conn *conn = container_of(link, struct conn, timer.link);
        loop->open--;
        conn->ops->closed(conn);
    }
}

// Between the events of one turn and the next: nobody has one in hand for a connection that closed.
static void on_reap(uv_idle_t *reaper) {
    uv_idle_stop(reaper);
    reap(reaper->data);
}

// The descriptor is closed, or somebody else's.
static void end(struct conn *conn) {
    wheel_disarm(&conn->timer);
    conn->fd = -1;
    list_push_back(&conn->loop->closing, &conn->timer.link);
    uv_idle_start(&conn->loop->reaper, on_reap);
}

static void close_now(struct conn *conn) {
    if (conn->tls) {
        tls_detach(conn);
    }
    readiness_drop(&conn->loop->readiness, conn->fd);
    close(conn->fd);
    end(conn);
}

void conn_close(struct conn *conn) {
    if (conn->closing) {
        return;
    }
    conn->closing = true;
    if (conn->tls && tls_leave(conn)) {
        wheel_arm(&conn->loop->wheel, &conn->timer, conn->loop->now + LEAVE_MS);
    } else {
        close_now(conn);
    }
}

int conn_release(struct conn *conn) {
    int fd = conn->fd;
    conn->closing = true;
    readiness_forget(&conn->loop->readiness, fd);
    end(conn);
    return fd;
}

static bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

ptrdiff_t conn_recv(struct conn *conn, char *into, size_t size) {
    ssize_t n;
    if (conn->tls) {
        return tls_recv(conn, into, size);
    }
    do {
        n = recv(conn->fd, into, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        return n;
    }
    return n < 0 && would_block(errno) ? 0 : ERR_GONE;
}

static ssize_t send_pieces(int fd, const struct bytes *pieces, int count) {
    if (count == 1) {
        return send(fd, pieces->at, pieces->len, MSG_NOSIGNAL);
    }
    struct iovec parts[4];
    count = count > 4 ? 4 : count;
    for (int i = 0; i < count; i++) {
        parts[i] =
            (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].at, .iov_len = pieces[i].len};
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

ptrdiff_t conn_send(struct conn *conn, const struct bytes *pieces, int count) {
    ssize_t n;
    if (conn->tls) {
        return tls_send(conn, pieces, count);
    }
    do {
        n = send_pieces(conn->fd, pieces, count);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        return n;
    }
    // Out of kernel memory is a full socket too: it passes.
    return would_block(errno) || errno == ENOBUFS || errno == ENOMEM ? 0 : ERR_GONE;
}

void conn_shutdown(struct conn *conn) {
    if (conn->tls) {
        tls_shutdown(conn);
    } else {
        shutdown(conn->fd, SHUT_WR);
    }
}

void conn_wait_for(struct conn *conn, unsigned events) {
    if (conn->closing || conn->events == events) {
        return;
    }
    conn->events = (uint8_t)events;
    if (conn->tls) {
        tls_update(conn);
    } else {
        readiness_change(&conn->loop->readiness, conn->fd, events, conn);
    }
}

void conn_set_deadline(struct conn *conn, int64_t at) {
    if (!conn->closing) {
        wheel_arm(&conn->loop->wheel, &conn->timer, at);
    }
}

void conn_clear_deadline(struct conn *conn) {
    if (!conn->closing) {
        wheel_disarm(&conn->timer);
    }
}

int conn_loop_init(struct conn_loop *loop, uv_loop_t *uv) {
    int rc = readiness_open(&loop->readiness, uv, on_ready);
    if (rc) {
        return rc;
    }
    loop->uv = uv;
    loop->open = 0;
    loop->now = (int64_t)uv_now(uv);
    list_init(&loop->closing);
    wheel_init(&loop->wheel, TICK_MS, loop->now);
    tls_loop_init(&loop->tls, uv, HANDSHAKES_MAX);
    uv_idle_init(uv, &loop->reaper);
    loop->reaper.data = loop;
    return 0;
}

void conn_loop_limit_handshakes(struct conn_loop *loop, size_t most) {
    loop->tls.begun_max = most;
}

static void on_reaper_closed(uv_handle_t *reaper) {
    reap(reaper->data);
}

void conn_loop_close(struct conn_loop *loop) {
    struct conn *leaving;
    if (!uv_is_closing((uv_handle_t *)&loop->reaper)) {
        while ((leaving = tls_loop_leaving(&loop->tls))) {
            close_now(leaving);
        }
        uv_close((uv_handle_t *)&loop->tls.stepper, NULL);
        uv_close((uv_handle_t *)&loop->reaper, on_reaper_closed);
        readiness_close(&loop->readiness);
    }
}

static void fire(void *ctx, struct wheel_node *node) {
    struct conn *conn = container_of(node, struct conn, timer);
    if (conn->closing) {
        close_now(conn); // what is left of it will never leave
    } else {
        conn->ops->expired(conn);
    }
}

void conn_loop_tick(struct conn_loop *loop) {
    loop->now = (int64_t)uv_now(loop->uv);
    wheel_advance(&loop->wheel, loop->now, fire, loop);
}
