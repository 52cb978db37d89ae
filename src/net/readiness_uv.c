// Readiness by libuv, for systems without epoll: a poll handle for each socket, found by its
// descriptor. Slower and larger, and otherwise the same.
#include "net/readiness.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct watch {
    uv_poll_t poll;
    struct readiness *readiness;
    void *who;
    unsigned events;
};

struct readiness_own {
    struct watch **watches; // by descriptor
    size_t size;
};

int readiness_open(struct readiness *readiness, uv_loop_t *uv, ready_callback *tell) {
    *readiness = (struct readiness){.uv = uv, .tell = tell};
    readiness->own = calloc(1, sizeof(*readiness->own));
    return readiness->own ? 0 : ERR_NOMEM;
}

void readiness_close(struct readiness *readiness) {
    free(readiness->own->watches);
    free(readiness->own);
    readiness->own = NULL;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    struct watch *watch = poll->data;
    if (status < 0) {
        // libuv has stopped watching; but the error may lie behind bytes that take several reads.
        uv_poll_start(poll, (int)watch->events, on_ready);
        events = READY_ERROR;
    }
    watch->readiness->tell(watch->who, (unsigned)events);
}

static int make_room(struct readiness_own *own, size_t fd) {
    if (fd < own->size) {
        return 0;
    }
    size_t size = 2 * fd + 64;
    struct watch **watches = realloc(own->watches, size * sizeof(struct watch *));
    if (!watches) {
        return ERR_NOMEM;
    }
    memset(watches + own->size, 0, (size - own->size) * sizeof(struct watch *));
    own->watches = watches;
    own->size = size;
    return 0;
}

static void watch_for(struct watch *watch, unsigned events) {
    watch->events = events;
    if (events) {
        uv_poll_start(&watch->poll, (int)events, on_ready);
    } else {
        uv_poll_stop(&watch->poll);
    }
}

int readiness_add(struct readiness *readiness, int fd, unsigned events, void *who) {
    struct watch *watch = malloc(sizeof(*watch));
    if (!watch || make_room(readiness->own, (size_t)fd)) {
        free(watch);
        return ERR_NOMEM;
    }
    if (uv_poll_init(readiness->uv, &watch->poll, fd)) {
        free(watch);
        return ERR_SYSTEM;
    }
    watch->poll.data = watch;
    watch->readiness = readiness;
    watch->who = who;
    readiness->own->watches[fd] = watch;
    watch_for(watch, events);
    return 0;
}

void readiness_change(struct readiness *readiness, int fd, unsigned events, void *who) {
    struct watch *watch = readiness->own->watches[fd];
    watch->who = who;
    watch_for(watch, events);
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void readiness_drop(struct readiness *readiness, int fd) {
    struct watch *watch = readiness->own->watches[fd];
    readiness->own->watches[fd] = NULL;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
}

void readiness_forget(struct readiness *readiness, int fd) {
    readiness_drop(readiness, fd);
}
