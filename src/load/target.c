// URLs of a load. Only literal addresses and localhost: a load is aimed, not looked up.
#include "load/target.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "http/url.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { PORTS_EACH = 4096, SETS = 254 };

const char *target_parse(const char *url, struct target *target) {
    static const char scheme[] = "http://";
    char authority[ADDRESS_TEXT_MAX + 8];
    if (strncasecmp(url, scheme, strlen(scheme)) != 0) {
        return "it must begin with http:// (a load is sent without TLS)";
    }
    target->host = url + strlen(scheme);
    target->host_len = strcspn(target->host, "/?#");
    target->path = target->host[target->host_len] == '/' ? target->host + target->host_len : "/";
    if (target->host_len >= ADDRESS_TEXT_MAX) {
        return "its host is too long";
    }
    int len = (int)target->host_len;
    snprintf(authority, sizeof(authority), "%.*s", len, target->host);
    const char *colon = strrchr(authority, ':');
    if (!colon || strchr(colon, ']')) {
        snprintf(authority, sizeof(authority), "%.*s:80", len, target->host);
    }
    return authority[0] == ':' ? "it needs a host" : address_parse(authority, &target->address);
}

// The source address decides which ports are free, and all of 127.0.0.0/8 is this machine.
static int spread(const struct target *target, int fd, unsigned set, unsigned number) {
    const struct sockaddr_in *to = &target->address.v4;
    if (to->sin_family != AF_INET || ntohl(to->sin_addr.s_addr) >> 24 != 127) {
        return 0;
    }
    int yes = 1;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr =
        htonl(0x7f000001u + ((set % SETS + 1) << 16) + (number / PORTS_EACH % 256 << 8));
    // Without this the port is chosen for all destinations at once, which is slow.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
    return bind(fd, (struct sockaddr *)&from, sizeof(from));
}

int target_connect(const struct target *target, unsigned set, unsigned number) {
    int yes = 1;
    int fd = socket(target->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (spread(target, fd, set, number) != 0 ||
        (connect(fd, &target->address.any, target->address.len) != 0 && errno != EINPROGRESS)) {
        int why = errno;
        close(fd);
        errno = why;
        return ERR_SYSTEM;
    }
    return fd;
}

int target_fill(struct buf *out, const char *template, struct bytes topic, struct bytes data,
                bool encode) {
    static const char topic_mark[] = "{topic}", data_mark[] = "{data}";
    int rc = 0;
    while (*template && rc == 0) {
        if (strncmp(template, topic_mark, strlen(topic_mark)) == 0) {
            rc = encode ? http_url_encode(topic, "/", out) : buf_append(out, topic.at, topic.len);
            template += strlen(topic_mark);
        } else if (data.at && strncmp(template, data_mark, strlen(data_mark)) == 0) {
            rc = buf_append(out, data.at, data.len);
            template += strlen(data_mark);
        } else {
            size_t len = 1 + strcspn(template + 1, "{");
            rc = buf_append(out, template, len);
            template += len;
        }
    }
    return rc;
}

struct bytes target_topic(char out[TARGET_TOPIC_MAX], const char *prefix, unsigned topic) {
    int len = snprintf(out, TARGET_TOPIC_MAX, "%s%u", prefix, topic);
    return bytes_make(out, len < TARGET_TOPIC_MAX ? (size_t)len : TARGET_TOPIC_MAX - 1);
}
