// One datagram for each message. A manager that cannot be reached is not a reason to stop serving.
#include "net/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

static int fill(const char *name, struct sockaddr_un *to, socklen_t *len) {
    size_t n = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(to->sun_path)) {
        errno = EINVAL;
        return ERR_SYSTEM;
    }
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(to->sun_path, name, n);
    if (name[0] == '@') {
        to->sun_path[0] = '\0';
    }
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return 0;
}

int notify_send(const char *socket_name, const char *words) {
    struct sockaddr_un to;
    socklen_t len;
    if (!socket_name) {
        return 0;
    }
    if (fill(socket_name, &to, &len)) {
        return ERR_SYSTEM;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    ssize_t sent =
        sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
    int error = errno;
    close(fd);
    errno = error;
    return sent < 0 ? ERR_SYSTEM : 0;
}

int notify_reloading(const char *socket_name, int64_t now_us) {
    char words[64];
    snprintf(words, sizeof(words), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now_us);
    return notify_send(socket_name, words);
}
