// Sockets by their system calls; libuv only tells when they are ready. A send is a send(2) there
// and then: there is no queue in between, because a cursor that lags is all the queue there is.
#include "net/conn.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"

enum { TICK_MS = 100 };

static void on_ready(uv_poll_t *poll, int status, int events) {
    struct conn *conn = container_of(poll, struct conn, poll);
    if (status < 0) {
        // libuv has stopped watching; but the error may lie behind bytes that take several reads.
        uv_poll_start(poll, conn->events, on_ready);
    }
    // An error is found by whoever reads: recv(2) returns it.
    if (status < 0 || events & UV_READABLE) {
        conn->ops->readable(conn);
    }
    if (!conn->closing && status >= 0 && events & UV_WRITABLE) {
        conn->ops->writable(conn);
    }
}

int conn_open(struct conn *conn, struct conn_loop *loop, int fd, const struct peer *peer,
              const struct conn_ops *ops) {
    conn->loop = loop;
    conn->ops = ops;
    conn->fd = fd;
    conn->peer = *peer;
    conn->events = 0;
    conn->closing = false;
    wheel_node_init(&conn->timer);
    if (uv_poll_init(loop->uv, &conn->poll, fd)) {
        return ERR_SYSTEM;
    }
    loop->open++;
    conn_wait_for(conn, CONN_READ);
    return 0;
}

static void on_closed(uv_handle_t *handle) {
    struct conn *conn = container_of(handle, struct conn, poll);
    conn->loop->open--;
    conn->ops->closed(conn);
}

void conn_close(struct conn *conn) {
    if (conn->closing) {
        return;
    }
    conn->closing = true;
    wheel_disarm(&conn->timer);
    uv_close((uv_handle_t *)&conn->poll, on_closed);
    close(conn->fd);
    conn->fd = -1;
}

static bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

ptrdiff_t conn_recv(struct conn *conn, char *into, size_t size) {
    ssize_t n;
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
    shutdown(conn->fd, SHUT_WR);
}

void conn_wait_for(struct conn *conn, unsigned events) {
    if (conn->closing || conn->events == events) {
        return;
    }
    conn->events = (uint8_t)events;
    if (events) {
        uv_poll_start(&conn->poll, (int)events, on_ready);
    } else {
        uv_poll_stop(&conn->poll);
    }
}

void conn_set_deadline(struct conn *conn, int64_t at) {
    if (!conn->closing) {
        wheel_arm(&conn->loop->wheel, &conn->timer, at);
    }
}

void conn_clear_deadline(struct conn *conn) {
    wheel_disarm(&conn->timer);
}

void conn_loop_init(struct conn_loop *loop, uv_loop_t *uv) {
    loop->uv = uv;
    loop->open = 0;
    loop->now = (int64_t)uv_now(uv);
    wheel_init(&loop->wheel, TICK_MS, loop->now);
}

static void fire(void *ctx, struct wheel_node *node) {
    struct conn *conn = container_of(node, struct conn, timer);
    conn->ops->expired(conn);
}

void conn_loop_tick(struct conn_loop *loop) {
    loop->now = (int64_t)uv_now(loop->uv);
    wheel_advance(&loop->wheel, loop->now, fire, loop);
}
