// The floor under a delivery: a bare loop of send() of the same bytes to as many loopback sockets,
// with nothing around it. A child process on the other processor drains them by epoll, as the
// listeners of a load do. Paced (--rate), the readers and the sender sleep between the rounds, and
// a send pays for waking them; unpaced, they mostly do not. Prints one line.
//
//     floor [--sockets N] [--size BYTES] [--rate ROUNDS A SECOND, 0: unpaced] [--seconds S]
//           [--burst SOCKETS A ROUND, 0: all] [--cpu SENDER] [--reader-cpu READER]
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

enum { READ_MAX = 256 * 1024, BACKLOG = 4096, EVENTS_MAX = 256, PORTS_EACH = 16384 };

struct wish {
    int sockets, size, rate, seconds, burst, cpu, reader_cpu;
};

static int open_listener(struct sockaddr_in *address) {
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) != 0) {
        lab_die("cannot listen");
    }
    return fd;
}

static int connect_one(const struct sockaddr_in *to, int number) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)(number / PORTS_EACH + 1) * 256);
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0) {
        lab_die("cannot connect");
    }
    return fd;
}

// Reads for ever; its parent ends it. The time is asked for once a read, as a load does.
static void drain(const struct wish *wish, const struct sockaddr_in *address) {
    int epoll = epoll_create1(0);
    char *buffer = malloc(READ_MAX);
    struct epoll_event events[EVENTS_MAX];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    lab_pin(wish->reader_cpu);
    for (int i = 0; i < wish->sockets; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = connect_one(address, i)};
        epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
    }
    for (int64_t seen = 0; buffer && seen >= 0;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (recv(events[i].data.fd, buffer, READ_MAX, MSG_DONTWAIT) == 0) {
                exit(0);
            }
            seen = lab_now_ns(CLOCK_MONOTONIC);
        }
    }
}

static int *accept_all(int listener, int count) {
    int *fds = calloc((size_t)count, sizeof(*fds)), yes = 1;
    for (int i = 0; fds && i < count; i++) {
        fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fds[i] < 0) {
            lab_die("cannot accept");
        }
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    }
    return fds;
}

struct outcome {
    uint64_t sends, full;
    int64_t cpu_ns, wall_ns;
};

static struct outcome send_all(const struct wish *wish, const int *fds, const char *bytes) {
    struct outcome outcome = {0};
    int64_t start = lab_now_ns(CLOCK_MONOTONIC), end = start + wish->seconds * (int64_t)1000000000;
    int64_t cpu = lab_now_ns(CLOCK_THREAD_CPUTIME_ID);
    int burst = wish->burst ? wish->burst : wish->sockets, at = 0;
    for (int64_t round = 0; lab_now_ns(CLOCK_MONOTONIC) < end; round++) {
        for (int i = 0; i < burst; i++, at = at + 1 < wish->sockets ? at + 1 : 0) {
            ssize_t sent = send(fds[at], bytes, (size_t)wish->size, MSG_NOSIGNAL | MSG_DONTWAIT);
            outcome.full += sent < wish->size;
        }
        outcome.sends += (uint64_t)burst;
        if (wish->rate) {
            lab_sleep_until_ns(start + (round + 1) * 1000000000 / wish->rate);
        }
    }
    outcome.cpu_ns = lab_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    outcome.wall_ns = lab_now_ns(CLOCK_MONOTONIC) - start;
    return outcome;
}

static bool read_wish(int argc, char **argv, struct wish *wish) {
    static const char *const names[] = {"--sockets", "--size", "--rate",      "--seconds",
                                        "--burst",   "--cpu",  "--reader-cpu"};
    int *const members[] = {&wish->sockets, &wish->size, &wish->rate,      &wish->seconds,
                            &wish->burst,   &wish->cpu,  &wish->reader_cpu};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    for (int i = 1; i < argc; i += 2) {
        unsigned which = 0;
        while (which < NAMES && strcmp(argv[i], names[which]) != 0) {
            which++;
        }
        if (which == NAMES || i + 1 == argc) {
            return false;
        }
        *members[which] = atoi(argv[i + 1]);
    }
    return wish->sockets > 0 && wish->size > 0 && wish->rate >= 0 && wish->seconds > 0 &&
           wish->seconds <= 600 && wish->burst >= 0;
}

int main(int argc, char **argv) {
    struct wish wish = {.sockets = 1000, .size = 129, .seconds = 3, .cpu = -1, .reader_cpu = -1};
    struct sockaddr_in address;
    if (!read_wish(argc, argv, &wish)) {
        fprintf(stderr, "usage: floor [--sockets N] [--size BYTES] [--rate ROUNDS] [--seconds S] "
                        "[--burst N] [--cpu N] [--reader-cpu N]\n");
        return 2;
    }
    lab_take_descriptors();
    int listener = open_listener(&address);
    char *bytes = malloc((size_t)wish.size);
    pid_t reader = fork();
    if (reader < 0 || !bytes) {
        lab_die("cannot start");
    }
    if (reader == 0) {
        drain(&wish, &address);
        exit(1);
    }
    lab_pin(wish.cpu);
    memset(bytes, 'x', (size_t)wish.size);
    int *fds = accept_all(listener, wish.sockets);
    struct outcome outcome = send_all(&wish, fds, bytes);
    kill(reader, SIGKILL);
    waitpid(reader, NULL, 0);
    printf(
        "bench=floor sockets=%d size=%d rate=%d burst=%d sends=%llu full=%llu cpu_us_per_send=%.3f "
        "sends_per_s=%.0f\n",
        wish.sockets, wish.size, wish.rate, wish.burst, (unsigned long long)outcome.sends,
        (unsigned long long)outcome.full, (double)outcome.cpu_ns / 1e3 / (double)outcome.sends,
        (double)outcome.sends * 1e9 / (double)outcome.wall_ns);
    free(bytes);
    free(fds);
    return 0;
}
