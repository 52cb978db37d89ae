// Many listeners on few HTTP/2 connections, against as many on HTTP/1.1 connections of their own: what the
// server spends on a delivery, and what memory a listener takes. Opens the listeners, publishes at a steady
// rate over HTTP/1.1, reads and drops everything, and reads the server's processor time and memory from
// /proc. It does not check what comes; the tests do. Prints one line.
//
//     bench-h2 --port P --pid SERVER [--connections 100] [--streams 100, 0: HTTP/1.1]
//              [--rate EVENTS A SECOND] [--seconds S] [--size BYTES] [--shuffle 1: streams of all connections in turn]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab.h"

enum { READ_MAX = 256 * 1024, SIZE_MAX_EVENT = 64 * 1024 };

static struct {
    int port, pid, connections, streams, rate, seconds, size, shuffle;
} wish = {.connections = 100, .streams = 100, .rate = 20, .seconds = 5, .size = 100};

static int epoll_fd;
static char scratch[READ_MAX];

static int64_t now_ms(void) {
    return lab_now_ns(CLOCK_MONOTONIC) / 1000000;
}

static void say(int fd, const void *bytes, size_t len) {
    if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len) {
        lab_die("cannot send");
    }
}

static int dial(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wish.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        lab_die("cannot connect");
    }
    return fd;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        lab_die("cannot watch");
    }
}

// Reads whatever has come until this time.
static void read_until(int64_t until) {
    struct epoll_event events[256];
    for (int64_t left = until - now_ms(); left > 0; left = until - now_ms()) {
        int n = epoll_wait(epoll_fd, events, 256, (int)left);
        for (int i = 0; i < n; i++) {
            if (recv(events[i].data.fd, scratch, sizeof(scratch), MSG_DONTWAIT) == 0) {
                lab_give_up("the server closed a connection");
            }
        }
    }
}

// The preface, and windows that are never in the way.
static void greet(int fd) {
    static const uint8_t hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                   "\0\0\6\4\0\0\0\0\0\0\4\x7f\xff\xff\xff"
                                   "\0\0\4\x8\0\0\0\0\0\x7f\xfe\xff\xff";
    say(fd, hello, sizeof(hello) - 1);
}

static void listen_h2(int fd, int stream) {
    // :method GET, :scheme http, :path /events/a, :authority h
    static const uint8_t fields[] = "\x82\x86\4\x9/events/a\1\1h";
    uint8_t frame[9 + sizeof(fields) - 1] = {0, 0, sizeof(fields) - 1, 1, 5};
    uint32_t id = htonl(1 + 2 * (uint32_t)stream);
    memcpy(frame + 5, &id, 4);
    memcpy(frame + 9, fields, sizeof(fields) - 1);
    say(fd, frame, sizeof(frame));
}

static void listen_all(int *fds) {
    for (int i = 0; i < wish.connections; i++) {
        fds[i] = dial();
        if (wish.streams) {
            greet(fds[i]);
        } else {
            static const char head[] = "GET /events/a HTTP/1.1\r\nHost: localhost\r\n\r\n";
            say(fds[i], head, sizeof(head) - 1);
        }
        watch(fds[i]);
    }
    for (int n = 0; n < wish.connections * wish.streams; n++) {
        bool turn = wish.shuffle;
        listen_h2(fds[turn ? n % wish.connections : n / wish.streams],
                  turn ? n / wish.connections : n % wish.streams);
    }
}

static long memory_kb(void) {
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", wish.pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return kb;
}

static void publish(int fd) {
    static char request[SIZE_MAX_EVENT + 256];
    int head = snprintf(request, 256,
                        "POST /events/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n",
                        wish.size);
    memset(request + head, 'x', (size_t)wish.size);
    say(fd, request, (size_t)head + (size_t)wish.size);
}

static void read_wish(int argc, char **argv) {
    static const struct {
        const char *name;
        int *into;
    } names[] = {{"--port", &wish.port},
                 {"--pid", &wish.pid},
                 {"--connections", &wish.connections},
                 {"--streams", &wish.streams},
                 {"--rate", &wish.rate},
                 {"--seconds", &wish.seconds},
                 {"--size", &wish.size},
                 {"--shuffle", &wish.shuffle}};
    for (int i = 1; i + 1 < argc; i += 2) {
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            if (strcmp(argv[i], names[n].name) == 0) {
                *names[n].into = (int)strtol(argv[i + 1], NULL, 10);
            }
        }
    }
    bool fine = wish.port && wish.pid && wish.connections > 0 && wish.streams >= 0 &&
                wish.rate > 0 && wish.seconds > 0 && wish.size > 0 && wish.size <= SIZE_MAX_EVENT;
    if (!fine) {
        fprintf(stderr, "usage: see bench/h2.c\n");
        exit(2);
    }
}

int main(int argc, char **argv) {
    read_wish(argc, argv);
    int *fds = calloc((size_t)wish.connections, sizeof(*fds));
    epoll_fd = epoll_create1(0);
    if (!fds || epoll_fd < 0) {
        lab_die("cannot begin");
    }
    lab_take_descriptors();
    long before = memory_kb();
    listen_all(fds);
    int publisher = dial();
    watch(publisher);
    read_until(now_ms() + 1500);
    long idle = memory_kb();
    double cpu = lab_cpu_s(wish.pid);
    int64_t start = now_ms();
    int events = wish.rate * wish.seconds;
    for (int i = 0; i < events; i++) {
        read_until(start + (int64_t)i * 1000 / wish.rate);
        publish(publisher);
    }
    read_until(start + wish.seconds * 1000 + 1000);
    cpu = lab_cpu_s(wish.pid) - cpu;
    double listeners = (double)wish.connections * (wish.streams ? wish.streams : 1);
    printf(
        "%d connections x %d streams, %d events of %d bytes: %.3f us of processor time a delivery, "
        "%.0f bytes a listener\n",
        wish.connections, wish.streams, events, wish.size, cpu * 1e6 / (events * listeners),
        (double)(idle - before) * 1024 / listeners);
    free(fds);
    return 0;
}
