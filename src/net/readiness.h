// Which sockets are ready: the connections of one loop, watched through an epoll of their own
// (readiness_epoll.c) or, where there is none, through libuv (readiness_uv.c). Level-triggered:
// what was not used up is told again at the next turn. A turn tells of a bounded number of sockets
// (256 with epoll), so that other work of the loop is never far away. One thread: its loop's.
#ifndef NET_READINESS_H
#define NET_READINESS_H

#include <uv.h>

enum ready_events {
    READY_READ = UV_READABLE,
    READY_WRITE = UV_WRITABLE,
    READY_ERROR = 16, // only told: reading or writing will say which
};

// Told of a socket that `who` gave with it. May add, change and drop any socket, this one too: one
// that was dropped may still be told of until the loop's next turn, so `who` must last until then.
typedef void ready_callback(void *who, unsigned events);

struct readiness {
    uv_loop_t *uv;
    ready_callback *tell;
    struct readiness_own *own; // the implementation's
};

// 0, ERR_NOMEM or ERR_SYSTEM. Keeps the loop alive until readiness_close.
int readiness_open(struct readiness *readiness, uv_loop_t *uv, ready_callback *tell);

// Every socket has been dropped. The memory may go when the loop has run its close callbacks.
void readiness_close(struct readiness *readiness);

// Watches a socket (non-blocking): 0, or ERR_SYSTEM or ERR_NOMEM when it cannot be watched. An
// error and the end of both directions are told whatever `events` says, though perhaps only once
// when it says nothing.
int readiness_add(struct readiness *readiness, int fd, unsigned events, void *who);

// Other events for a socket that is watched.
void readiness_change(struct readiness *readiness, int fd, unsigned events, void *who);

// No more; the caller closes the descriptor right after it.
void readiness_drop(struct readiness *readiness, int fd);

// No more, but the descriptor stays open: somebody else may watch it from now on.
void readiness_forget(struct readiness *readiness, int fd);

#endif
