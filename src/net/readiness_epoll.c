// Readiness by an epoll of its own, which is itself one descriptor in libuv's. libuv would take five
// epoll_ctl(2) and an ioctl(2) for a connection, and 160 bytes; here it is one call and none: closing
// a descriptor takes it out. It keeps nothing about a socket.
#include "net/readiness.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"

enum { EVENTS_A_TURN = 256 };

struct readiness_own {
    uv_poll_t poll;
    int epoll;
    struct readiness *readiness;
};

static unsigned told(uint32_t events) {
    unsigned ready = 0;
    ready |= events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP) ? (unsigned)READY_READ : 0;
    ready |= events & (EPOLLOUT | EPOLLHUP) ? (unsigned)READY_WRITE : 0;
    return ready | (events & EPOLLERR ? (unsigned)READY_ERROR : 0);
}

static void on_some_ready(uv_poll_t *poll, int status, int events) {
    const struct readiness_own *own = poll->data;
    struct epoll_event ready[EVENTS_A_TURN];
    (void)status;
    (void)events;
    int count = epoll_wait(own->epoll, ready, EVENTS_A_TURN, 0);
    for (int i = 0; i < count; i++) {
        own->readiness->tell(ready[i].data.ptr, told(ready[i].events));
    }
}

int readiness_open(struct readiness *readiness, uv_loop_t *uv, ready_callback *tell) {
    struct readiness_own *own = malloc(sizeof(*own));
    if (!own) {
        return ERR_NOMEM;
    }
    own->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (own->epoll < 0) {
        free(own);
        return ERR_SYSTEM;
    }
    if (uv_poll_init(uv, &own->poll, own->epoll)) {
        close(own->epoll);
        free(own);
        return ERR_SYSTEM;
    }
    *readiness = (struct readiness){.uv = uv, .tell = tell, .own = own};
    own->readiness = readiness;
    own->poll.data = own;
    uv_poll_start(&own->poll, UV_READABLE, on_some_ready);
    return 0;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void readiness_close(struct readiness *readiness) {
    struct readiness_own *own = readiness->own;
    uv_close((uv_handle_t *)&own->poll, on_closed);
    close(own->epoll);
    readiness->own = NULL;
}

static struct epoll_event wish(unsigned events, void *who) {
    uint32_t wanted = events & READY_READ ? EPOLLIN | EPOLLRDHUP : 0;
    wanted |= events & READY_WRITE ? EPOLLOUT : 0;
    // epoll always tells of an error; who wants nothing would hear it for ever if it were not for
    // the edge.
    wanted |= events ? 0 : EPOLLET;
    return (struct epoll_event){.events = wanted, .data.ptr = who};
}

int readiness_add(struct readiness *readiness, int fd, unsigned events, void *who) {
    struct epoll_event event = wish(events, who);
    return epoll_ctl(readiness->own->epoll, EPOLL_CTL_ADD, fd, &event) ? ERR_SYSTEM : 0;
}

void readiness_change(struct readiness *readiness, int fd, unsigned events, void *who) {
    struct epoll_event event = wish(events, who);
    // Cannot fail for a descriptor that is in: nothing is allocated.
    (void)epoll_ctl(readiness->own->epoll, EPOLL_CTL_MOD, fd, &event);
}

void readiness_drop(struct readiness *readiness, int fd) {
    (void)readiness;
    (void)fd; // the close that follows takes it out
}

void readiness_forget(struct readiness *readiness, int fd) {
    (void)epoll_ctl(readiness->own->epoll, EPOLL_CTL_DEL, fd, NULL);
}
