// Records go to the socket as OpenSSL makes them: there is no buffer in between until a record does
// not fit. Short reads are remembered, which saves the system call that would say so again.
#include "net/tls_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"

static bool passes(int error) {
    // Out of kernel memory is a full socket too.
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

// Bytes that the socket took, 0 when it is full, ERR_GONE.
static ptrdiff_t send_some(int fd, const char *at, size_t len) {
    ssize_t n;
    do {
        n = send(fd, at, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : passes(errno) ? 0 : ERR_GONE;
}

void tls_wire_drop(struct tls_wire *wire) {
    free(wire->rest);
    wire->rest = NULL;
    wire->at = wire->len = 0;
}

int tls_wire_flush(struct tls_wire *wire) {
    while (wire->rest) {
        ptrdiff_t n = send_some(wire->fd, wire->rest + wire->at, wire->len);
        if (n <= 0) {
            return (int)n;
        }
        wire->at += (uint32_t)n;
        wire->len -= (uint32_t)n;
        if (wire->len == 0) {
            tls_wire_drop(wire);
        }
    }
    return 0;
}

static int keep(struct tls_wire *wire, const char *at, size_t len) {
    char *rest = malloc(wire->len + len);
    if (!rest) {
        return ERR_NOMEM;
    }
    if (wire->rest) {
        memcpy(rest, wire->rest + wire->at, wire->len);
    }
    memcpy(rest + wire->len, at, len);
    free(wire->rest);
    wire->rest = rest;
    wire->at = 0;
    wire->len += (uint32_t)len;
    return 0;
}

// The length, or 0 with `again` set, or -1.
static int take(struct tls_wire *wire, const char *at, size_t len, bool *again) {
    ptrdiff_t n = tls_wire_flush(wire);
    if (n < 0) {
        return -1;
    }
    if (!wire->rest) {
        n = send_some(wire->fd, at, len);
        if (n < 0) {
            return -1;
        }
    } else if (wire->len + len > TLS_WIRE_MAX) {
        *again = true;
        return 0;
    }
    if ((size_t)n < len && keep(wire, at + n, len - (size_t)n)) {
        return -1;
    }
    return (int)len;
}

static int on_write(BIO *bio, const char *at, int len) {
    bool again = false;
    BIO_clear_retry_flags(bio);
    int n = take(BIO_get_data(bio), at, (size_t)len, &again);
    if (again) {
        BIO_set_retry_write(bio);
        return -1;
    }
    return n;
}

static ssize_t read_some(struct tls_wire *wire, char *into, size_t size) {
    ssize_t n;
    do {
        n = recv(wire->fd, into, size, 0);
    } while (n < 0 && errno == EINTR);
    // What comes after a short read is told of by the loop.
    wire->emptied = n < (ssize_t)size;
    wire->ended = n == 0;
    wire->budget -= n > 0 ? (uint32_t)n : 0;
    return n;
}

static int on_read(BIO *bio, char *into, int size) {
    struct tls_wire *wire = BIO_get_data(bio);
    size_t most = (size_t)size < wire->budget ? (size_t)size : wire->budget;
    BIO_clear_retry_flags(bio);
    if (wire->emptied || most == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t n = read_some(wire, into, most);
    if (n < 0 && passes(errno)) {
        BIO_set_retry_read(bio);
    }
    return (int)n;
}

static long on_control(BIO *bio, int command, long number, void *pointer) {
    const struct tls_wire *wire = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && wire->ended);
}

BIO_METHOD *tls_wire_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (method) {
        BIO_meth_set_write(method, on_write);
        BIO_meth_set_read(method, on_read);
        BIO_meth_set_ctrl(method, on_control);
    }
    return method;
}

BIO *tls_wire_bio(BIO_METHOD *method, struct tls_wire *wire) {
    BIO *bio = BIO_new(method);
    if (bio) {
        BIO_set_data(bio, wire);
        BIO_set_init(bio, 1);
    }
    return bio;
}

void tls_wire_begin(struct tls_wire *wire) {
    wire->budget = TLS_WIRE_READ;
    wire->emptied = false;
}
