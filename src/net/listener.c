// Accepting. Options are set on the listening socket, because accepted ones inherit them: a
// connection costs no system call for its settings.
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/error.h"
#include "base/list.h"

enum { ACCEPTS_A_TURN = 32, PAUSE_MS = 100 };

bool listener_can_share(void) {
#ifdef __linux__
    return true;
#else
    return false;
#endif
}

static void set(int fd, int level, int name, int value) {
    // An option that the kernel lacks costs efficiency, not correctness.
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_options(int fd, const struct listener_settings *settings) {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_NOTSENT_LOWAT
    if (settings->unsent_max) {
        set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, settings->unsent_max);
    }
#endif
#ifdef TCP_USER_TIMEOUT
    if (settings->dead_peer_ms) {
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, settings->dead_peer_ms);
    }
#endif
}

static int bind_socket(struct address *address, bool share) {
    int fd = socket(address->any.sa_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return -1;
    }
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->any.sa_family == AF_INET6) {
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (share) {
        set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK) ||
        bind(fd, &address->any, address->len) || getsockname(fd, &address->any, &address->len)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int listener_probe(const struct address *address) {
    struct address copy = *address;
    int fd = bind_socket(&copy, false);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    close(fd);
    return 0;
}

int listener_adopt(int fd, const struct address *address,
                   const struct listener_settings *settings) {
    if (address->any.sa_family != AF_UNIX) {
        set_options(fd, settings);
    }
    return listen(fd, settings->backlog) ? ERR_SYSTEM : 0;
}

int listener_bind(struct address *address, bool share, const struct listener_settings *settings) {
    int fd = bind_socket(address, share);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    if (listener_adopt(fd, address, settings)) {
        int error = errno;
        close(fd);
        errno = error;
        return ERR_SYSTEM;
    }
    return fd;
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void start(struct listener *listener) {
    listener->paused = false;
    uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
}

static void on_pause_over(uv_timer_t *timer) {
    start(container_of(timer, struct listener, pause));
}

static void pause_accepting(struct listener *listener) {
    listener->paused = true;
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->pause, on_pause_over, PAUSE_MS, 0);
    listener->exhausted(listener);
}

static int accept_one(int fd, struct address *address) {
    address->len = sizeof(address->v6);
#ifdef __linux__
    return accept4(fd, &address->any, &address->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int accepted = accept(fd, &address->any, &address->len);
    if (accepted >= 0) {
        fcntl(accepted, F_SETFD, FD_CLOEXEC);
        fcntl(accepted, F_SETFL, O_NONBLOCK);
    }
    return accepted;
#endif
}

static bool is_exhaustion(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    struct listener *listener = container_of(poll, struct listener, poll);
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && !listener->paused; i++) {
        struct address address = {0};
        int fd = accept_one(listener->fd, &address);
        if (fd >= 0) {
            struct peer peer = peer_of(&address);
            listener->accepted(listener, fd, &peer);
        } else if (is_exhaustion(errno)) {
            pause_accepting(listener);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return; // nobody waits any more
        }
    }
}

int listener_open(struct listener *listener, uv_loop_t *loop, int fd) {
    listener->fd = fd;
    listener->closed = false;
    if (uv_timer_init(loop, &listener->pause) || uv_poll_init(loop, &listener->poll, fd)) {
        return ERR_SYSTEM;
    }
    start(listener);
    return 0;
}

void listener_close(struct listener *listener) {
    if (!listener->closed) {
        listener->closed = true;
        listener->paused = true;
        uv_close((uv_handle_t *)&listener->poll, NULL);
        uv_close((uv_handle_t *)&listener->pause, NULL);
        close(listener->fd);
    }
}
