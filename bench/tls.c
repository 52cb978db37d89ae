// What TLS costs, next to a server and without one. Four things, by the first argument:
//
//     bench-tls floor: a bare loop of SSL_write of the same bytes to as many loopback sockets (with
//         --plain: of send), which a child process drains; as floor.c for the plain case.
//     bench-tls listen: opens --sockets listeners at --port of 127.0.0.1, on the path /events/a, says
//         "ready", and drains them until its input ends. It reads what comes and decrypts nothing, so
//         that the figure is the server's.
//     bench-tls connect: shakes hands, asks for /healthz and closes, again and again, for --seconds, on
//         --sockets connections at a time; with --resume it brings a session.
//
//     bench-tls flood: begins handshakes and leaves when the server has answered, on --sockets
//         connections at a time. That costs the server the private key, and this end next to nothing.
//
// Options: [--port N] [--sockets N] [--size BYTES] [--seconds S] [--rate ROUNDS A SECOND] [--plain 1]
//          [--resume 1] [--cpu N] [--reader-cpu N]
// It trusts whatever certificate it is shown. Each run prints one line of name=value.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
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

enum { READ_MAX = 256 * 1024, EVENTS_MAX = 256, PORTS_EACH = 16384, WARM_UP = 3 };

struct wish {
    int port, sockets, size, seconds, rate, plain, resume, cpu, reader_cpu;
};

static int dial(int port, int number) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)(number / PORTS_EACH + 1) * 256);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        lab_die("cannot connect");
    }
    return fd;
}

static SSL *secure(SSL_CTX *context, int fd, SSL_SESSION *session) {
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (session) {
        SSL_set_session(ssl, session);
    }
    if (SSL_connect(ssl) != 1) {
        lab_give_up("no handshake");
    }
    return ssl;
}

// Reads for ever, or until the input ends.
static void drain(int epoll, int input) {
    struct epoll_event events[EVENTS_MAX], end = {.events = EPOLLIN, .data.fd = input};
    char *buffer = malloc(READ_MAX);
    epoll_ctl(epoll, EPOLL_CTL_ADD, input, &end);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            ssize_t n = recv(events[i].data.fd, buffer, READ_MAX, MSG_DONTWAIT);
            if (events[i].data.fd == input) {
                free(buffer);
                return;
            }
            if (n == 0) {
                epoll_ctl(epoll, EPOLL_CTL_DEL, events[i].data.fd, NULL);
            }
        }
    }
}

static int listen_to_all(const struct wish *wish) {
    static const char request[] =
        "GET /events/a HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int epoll = epoll_create1(0);
    lab_pin(wish->reader_cpu);
    for (int i = 0; i < wish->sockets; i++) {
        int fd = dial(wish->port, i);
        if (wish->plain) {
            (void)!write(fd, request, sizeof(request) - 1);
        } else {
            SSL *ssl = secure(context, fd, NULL);
            SSL_write(ssl, request, sizeof(request) - 1);
            SSL_set_quiet_shutdown(ssl, 1);
            BIO_set_close(SSL_get_rbio(ssl), BIO_NOCLOSE);
            SSL_free(ssl);
        }
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
    printf("ready\n");
    fflush(stdout);
    drain(epoll, STDIN_FILENO);
    SSL_CTX_free(context);
    return 0;
}

static void visit(SSL_CTX *context, const struct wish *wish, SSL_SESSION **session, int *reused) {
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[1024];
    int fd = dial(wish->port, 0);
    SSL *ssl = secure(context, fd, wish->resume ? *session : NULL);
    SSL_write(ssl, request, sizeof(request) - 1);
    if (SSL_read(ssl, answer, sizeof(answer)) <= 0) {
        lab_give_up("no answer");
    }
    *reused += SSL_session_reused(ssl);
    if (!*session) {
        *session = SSL_get1_session(ssl);
    }
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static int connect_for_a_while(const struct wish *wish) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_SESSION *session = NULL;
    int count = 0, reused = 0;
    for (int i = 1; i < wish->sockets; i++) {
        if (fork() == 0) {
            break;
        }
    }
    lab_pin(wish->reader_cpu);
    int64_t start = lab_now_ns(CLOCK_MONOTONIC), end = start + wish->seconds * (int64_t)1000000000;
    while (lab_now_ns(CLOCK_MONOTONIC) < end) {
        visit(context, wish, &session, &reused);
        count++;
    }
    printf("bench=tls-connect resume=%d count=%d reused=%d per_s=%.0f\n", wish->resume, count,
           reused, (double)count * 1e9 / (double)(lab_now_ns(CLOCK_MONOTONIC) - start));
    SSL_SESSION_free(session);
    SSL_CTX_free(context);
    return 0;
}

// The first words of a client, for use again and again.
static int record_hello(char *out, int size) {
    SSL *ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
    BIO *written = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), written);
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    int len = BIO_read(written, out, size);
    SSL_free(ssl);
    return len;
}

static int flood(const struct wish *wish) {
    char hello[4096], answer[256];
    int len = record_hello(hello, sizeof(hello)), count = 0;
    for (int i = 1; i < wish->sockets; i++) {
        if (fork() == 0) {
            break;
        }
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    lab_pin(wish->reader_cpu);
    int64_t end = lab_now_ns(CLOCK_MONOTONIC) + wish->seconds * (int64_t)1000000000;
    for (; lab_now_ns(CLOCK_MONOTONIC) < end; count++) {
        int fd = dial(wish->port, 0);
        (void)!write(fd, hello, (size_t)len);
        (void)!read(fd, answer, sizeof(answer));
        close(fd);
    }
    printf("bench=tls-flood count=%d\n", count);
    return 0;
}

// --- the floor ---

static SSL_CTX *server_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    SSL_CTX_use_certificate(context, cert);
    SSL_CTX_use_PrivateKey(context, key);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}

static int open_listener(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        lab_die("cannot listen");
    }
    *port = ntohs(address.sin_port);
    return fd;
}

struct peer {
    int fd;
    SSL *ssl;
};

static struct peer *accept_all(const struct wish *wish, int listener) {
    struct peer *peers = calloc((size_t)wish->sockets, sizeof(*peers));
    SSL_CTX *context = server_context();
    char request[512];
    int yes = 1;
    for (int i = 0; i < wish->sockets; i++) {
        peers[i].fd = accept(listener, NULL, NULL);
        setsockopt(peers[i].fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        if (wish->plain) {
            (void)!read(peers[i].fd, request, sizeof(request));
            continue;
        }
        peers[i].ssl = SSL_new(context);
        SSL_set_fd(peers[i].ssl, peers[i].fd);
        if (SSL_accept(peers[i].ssl) != 1) {
            lab_give_up("no handshake");
        }
        (void)SSL_read(peers[i].ssl, request, sizeof(request));
    }
    SSL_CTX_free(context);
    return peers;
}

static int floor_of(struct wish *wish) {
    int listener = open_listener(&wish->port), pipe_ends[2];
    char *bytes = malloc((size_t)wish->size);
    (void)!pipe(pipe_ends);
    pid_t reader = fork();
    if (reader == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipe_ends[0], STDIN_FILENO);
        close(pipe_ends[1]);
        (void)!freopen("/dev/null", "w", stdout);
        exit(listen_to_all(wish));
    }
    lab_pin(wish->cpu);
    struct peer *peers = accept_all(wish, listener);
    memset(bytes, 'x', (size_t)wish->size);
    int64_t start = lab_now_ns(CLOCK_MONOTONIC), end = start + wish->seconds * (int64_t)1000000000;
    int64_t cpu = lab_now_ns(CLOCK_THREAD_CPUTIME_ID), sends = 0;
    for (int64_t round = 1; lab_now_ns(CLOCK_MONOTONIC) < end; round++) {
        for (int i = 0; i < wish->sockets; i++, sends++) {
            if (wish->plain) {
                (void)!send(peers[i].fd, bytes, (size_t)wish->size, MSG_NOSIGNAL);
            } else {
                SSL_write(peers[i].ssl, bytes, wish->size);
            }
        }
        if (wish->rate) {
            lab_sleep_until_ns(start + round * 1000000000 / wish->rate);
        }
    }
    cpu = lab_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    kill(reader, SIGKILL);
    waitpid(reader, NULL, 0);
    printf("bench=tls-floor plain=%d sockets=%d size=%d rate=%d sends=%lld cpu_us_per_send=%.3f\n",
           wish->plain, wish->sockets, wish->size, wish->rate, (long long)sends,
           (double)cpu / 1e3 / (double)sends);
    return 0;
}

static bool read_wish(int argc, char **argv, struct wish *wish) {
    static const char *const names[] = {"--port",  "--sockets", "--size", "--seconds",   "--rate",
                                        "--plain", "--resume",  "--cpu",  "--reader-cpu"};
    int *const members[] = {&wish->port,    &wish->sockets, &wish->size,
                            &wish->seconds, &wish->rate,    &wish->plain,
                            &wish->resume,  &wish->cpu,     &wish->reader_cpu};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    for (int i = 2; i < argc; i += 2) {
        unsigned which = 0;
        while (which < NAMES && strcmp(argv[i], names[which]) != 0) {
            which++;
        }
        if (which == NAMES || i + 1 == argc) {
            return false;
        }
        *members[which] = atoi(argv[i + 1]);
    }
    return argc > 1 && wish->sockets > 0 && wish->size > 0 && wish->seconds > 0;
}

int main(int argc, char **argv) {
    bool one = argc > 1 && (strcmp(argv[1], "connect") == 0 || strcmp(argv[1], "flood") == 0);
    struct wish wish = {
        .sockets = one ? 1 : 1000, .size = 129, .seconds = 3, .cpu = -1, .reader_cpu = -1};
    lab_take_descriptors();
    signal(SIGPIPE, SIG_IGN);
    if (read_wish(argc, argv, &wish)) {
        if (strcmp(argv[1], "floor") == 0) {
            return floor_of(&wish);
        }
        if (strcmp(argv[1], "listen") == 0) {
            return listen_to_all(&wish);
        }
        if (strcmp(argv[1], "flood") == 0) {
            return flood(&wish);
        }
        if (strcmp(argv[1], "connect") == 0) {
            return connect_for_a_while(&wish);
        }
    }
    fprintf(stderr,
            "usage: bench-tls floor|listen|connect|flood [--port N] [--sockets N] [--size BYTES] "
            "[--seconds S] [--rate N] [--plain 1] [--resume 1] [--cpu N] [--reader-cpu N]\n");
    return 2;
}
