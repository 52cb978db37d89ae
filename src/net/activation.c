// The protocol of sd_listen_fds(3), without its library: three words in the environment.
#include "net/activation.h"

#include <fcntl.h>

// Names are parted by colons; a manager may leave them all out, or fall short.
static void read_names(const char *names, struct activation *out) {
    for (int i = 0; names && i < out->count; i++) {
        const char *end = strchr(names, ':');
        out->names[i] = bytes_make(names, end ? (size_t)(end - names) : strlen(names));
        names = end ? end + 1 : NULL;
    }
}

const char *activation_read(const struct activation_words *words, pid_t own,
                            struct activation *out) {
    uint64_t pid, count;
    *out = (struct activation){0};
    if (!words->pid || !words->fds) {
        return NULL;
    }
    if (!bytes_to_u64(bytes_of(words->pid), INT32_MAX, &pid) ||
        !bytes_to_u64(bytes_of(words->fds), INT32_MAX, &count)) {
        return "LISTEN_PID and LISTEN_FDS in the environment have to be numbers";
    }
    if (pid != (uint64_t)own) {
        return NULL;
    }
    if (count > ACTIVATION_MAX) {
        return "more than 16 sockets were handed over";
    }
    out->count = (int)count;
    read_names(words->names, out);
    return NULL;
}

static int number(int fd, int name) {
    int value = -1;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

const char *activation_check(int fd, struct address *out) {
    *out = (struct address){.len = sizeof(out->un)};
    if (number(fd, SO_TYPE) != SOCK_STREAM || number(fd, SO_ACCEPTCONN) != 1) {
        return "what was handed over is no listening stream socket; use ListenStream= and "
               "Accept=no in the .socket unit";
    }
    if (getsockname(fd, &out->any, &out->len)) {
        return "what was handed over has no address";
    }
    if (out->any.sa_family != AF_INET && out->any.sa_family != AF_INET6 &&
        out->any.sa_family != AF_UNIX) {
        return "only sockets for IPv4, IPv6 and Unix sockets are of use here";
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
        return "what was handed over cannot be made non-blocking";
    }
    return NULL;
}
