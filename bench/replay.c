// Listeners that read the past while others live: how long the past takes, and what the living notice.
// Readers of a stored topic are connected first, then ask all at once; each is done with the event that
// tells it that it has caught up. Live listeners sit on a thread of their own that goes first, hear
// events that carry the time of their sending, and note how old they are, before the readers begin
// and until they end. Without readers, or in `cat`, it is the floor. Prints one line.
//
//     bench-replay --port P --pid SERVER --path /events/t?last_event_id=earliest&control=1 [--readers 1]
//                  [--live 0] [--rate 20] [--before SECONDS] [--limit SECONDS] [--save FILE]
//     bench-replay --cat FILE [--cat-cpu N]      reads from a `cat` into a socket instead
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

enum { CHUNK = 256 * 1024, SAMPLES_MAX = 16 << 20, EVENTS_MAX = 256 };

static struct {
    int port, pid, readers, live, rate, before, limit, cat_cpu;
    const char *path, *save, *cat;
} wish = {.readers = 1, .rate = 20, .before = 3, .limit = 170, .path = "/events/topic/0"};

// What one phase of the living saw, in microseconds.
struct samples {
    uint32_t *at;
    size_t count;
};

static struct samples phases[2];
static atomic_int phase;
static atomic_bool over;
static uint64_t bytes_read;
static long own_most;

static int64_t now_us(void) {
    return lab_now_ns(CLOCK_MONOTONIC) / 1000;
}

static struct sockaddr_in address_of(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int dial(void) {
    struct sockaddr_in address = address_of(wish.port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        lab_die("cannot connect");
    }
    return fd;
}

static void say(int fd, const char *text) {
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) {
        lab_die("cannot send");
    }
}

static void subscribe(int fd, const char *path) {
    char text[1024];
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    say(fd, text);
}

static int watch_all(const int *fds, int count) {
    int epoll_fd = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event) != 0) {
            lab_die("cannot watch");
        }
    }
    return epoll_fd;
}

static int *dial_all(int count) {
    int *fds = calloc((size_t)count + 1, sizeof(fds[0]));
    for (int i = 0; fds && i < count; i++) {
        fds[i] = dial();
    }
    return fds;
}

// Kilobytes of memory, as /proc tells them.
static long status_kb(const char *file, const char *field) {
    char name[64], line[256];
    long kb = 0;
    snprintf(name, sizeof(name), "/proc/%d/%s", wish.pid, file);
    FILE *in = fopen(name, "r");
    while (in && fgets(line, sizeof(line), in)) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kb = strtol(line + strlen(field), NULL, 10);
        }
    }
    if (in) {
        fclose(in);
    }
    return kb;
}

// The server's own memory; what it has mapped of the file is the kernel's.
static long own_kb(void) {
    return status_kb("status", "RssAnon:");
}

static void publish(int fd) {
    char body[128], text[512], scratch[65536];
    int len = snprintf(body, sizeof(body), "@%lld@%0100d", (long long)now_us(), 0);
    snprintf(text, sizeof(text),
             "POST /events/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len,
             body);
    say(fd, text);
    while (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) > 0) {
    }
}

static void note_ages(char *chunk, ssize_t len) {
    struct samples *samples = &phases[atomic_load(&phase)];
    int64_t now = now_us();
    chunk[len] = '\0';
    for (char *at = chunk; (at = strstr(at, "data: @")) && samples->count < SAMPLES_MAX; at++) {
        samples->at[samples->count++] = (uint32_t)(now - strtoll(at + 7, NULL, 10));
    }
}

// The living: publishes to a timetable, and hears. A slow server makes no pause in the timetable.
static void *live(void *arg) {
    static char chunk[65536 + 1];
    struct epoll_event events[EVENTS_MAX];
    int *fds = arg;
    int epoll_fd = watch_all(fds, wish.live), publisher = dial();
    // Or what it measures is how long the readers keep it waiting here.
    struct sched_param first = {.sched_priority = 1};
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &first)) {
        (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -15);
    }
    int64_t due = now_us();
    while (!atomic_load(&over)) {
        for (; due <= now_us(); due += 1000000 / wish.rate) {
            publish(publisher);
        }
        int64_t left = (due - now_us() + 999) / 1000;
        int n = epoll_wait(epoll_fd, events, EVENTS_MAX, left > 0 ? (int)left : 0);
        for (int i = 0; i < n; i++) {
            ssize_t len = recv(fds[events[i].data.u32], chunk, sizeof(chunk) - 1, MSG_DONTWAIT);
            if (len == 0) {
                lab_give_up("a live listener was closed");
            }
            if (len > 0) {
                note_ages(chunk, len);
            }
        }
    }
    return NULL;
}

struct tail {
    char last[3];
};

// Whether the bytes so far end as the event that tells of the end does; data never does.
static bool is_done(struct tail *tail, const char *chunk, size_t len) {
    size_t keep = len < 3 ? 3 - len : 0, take = 3 - keep;
    memmove(tail->last, tail->last + take, keep);
    memcpy(tail->last + keep, chunk + len - take, take);
    return memcmp(tail->last, "}\n\n", 3) == 0;
}

static void save(int fd, const char *chunk, ssize_t len) {
    if (fd >= 0 && write(fd, chunk, (size_t)len) != len) {
        lab_die("cannot write the file");
    }
}

static void read_all(const int *fds, int count) {
    static char chunk[CHUNK];
    struct tail *tails = calloc((size_t)count, sizeof(tails[0]));
    struct epoll_event events[EVENTS_MAX];
    int epoll_fd = watch_all(fds, count), left = count;
    int file = wish.save ? open(wish.save, O_CREAT | O_TRUNC | O_WRONLY, 0600) : -1;
    int64_t look = now_us(), limit = look + wish.limit * INT64_C(1000000);
    while (left) {
        int n = epoll_wait(epoll_fd, events, EVENTS_MAX, 1000);
        for (int i = 0; i < n; i++) {
            uint32_t at = events[i].data.u32;
            ssize_t len = recv(fds[at], chunk, CHUNK, MSG_DONTWAIT);
            if (len == 0 || (len < 0 && errno != EAGAIN)) {
                lab_die("a reader was closed");
            }
            if (len > 0) {
                bytes_read += (uint64_t)len;
                left -= is_done(&tails[at], chunk, (size_t)len);
                save(file, chunk, len);
            }
        }
        if (now_us() >= look) {
            long own = own_kb();
            own_most = own > own_most ? own : own_most;
            look = now_us() + 100000;
        }
        if (now_us() > limit) {
            lab_give_up("the readers did not come to an end");
        }
    }
    free(tails);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double part_ms(const struct samples *samples, double part) {
    return samples->count ? samples->at[(size_t)((double)(samples->count - 1) * part)] / 1000.0 : 0;
}

static void report_live(void) {
    static const char *const names[] = {"before", "during"};
    for (int i = 0; i < 2; i++) {
        struct samples *samples = &phases[i];
        qsort(samples->at, samples->count, sizeof(samples->at[0]), by_size);
        printf(" live_%s=%zu %s_p50_ms=%.2f %s_p99_ms=%.2f %s_max_ms=%.2f", names[i],
               samples->count, names[i], part_ms(samples, 0.5), names[i], part_ms(samples, 0.99),
               names[i], part_ms(samples, 1));
    }
}

// They were the last to connect: once each has its answer, the server has taken everyone in.
static void await_heads(const int *fds) {
    char head[4096];
    for (int i = 0; i < wish.live; i++) {
        if (recv(fds[i], head, sizeof(head), 0) <= 0) {
            lab_die("a live listener has no answer");
        }
    }
}

static void run(void) {
    pthread_t thread;
    int *fds = dial_all(wish.readers), *lives = dial_all(wish.live);
    for (int i = 0; i < 2; i++) {
        phases[i].at = calloc(SAMPLES_MAX, sizeof(phases[i].at[0]));
    }
    for (int i = 0; i < wish.live; i++) {
        subscribe(lives[i], "/events/live");
    }
    if (wish.live) {
        await_heads(lives);
        if (pthread_create(&thread, NULL, live, lives)) {
            lab_die("no thread");
        }
        usleep((useconds_t)wish.before * 1000000);
    }
    long own = own_kb();
    double cpu = lab_cpu_s(wish.pid);
    int64_t start = now_us();
    atomic_store(&phase, 1);
    for (int i = 0; i < wish.readers; i++) {
        subscribe(fds[i], wish.path);
    }
    read_all(fds, wish.readers);
    double took = (double)(now_us() - start) / 1e6;
    cpu = lab_cpu_s(wish.pid) - cpu;
    atomic_store(&over, true);
    if (wish.live) {
        pthread_join(thread, NULL);
    }
    printf(
        "seconds=%.3f bytes=%llu mb_per_s=%.0f server_cpu_s=%.2f own_kb_before=%ld own_kb_most=%ld "
        "own_kb_after=%ld",
        took, (unsigned long long)bytes_read, (double)bytes_read / took / 1e6, cpu, own, own_most,
        own_kb());
    report_live();
    printf("\n");
}

static void exec_cat(int fd) {
    lab_pin(wish.cat_cpu);
    dup2(fd, STDOUT_FILENO);
    execlp("cat", "cat", wish.cat, (char *)NULL);
    _exit(127);
}

static void run_cat(void) {
    static char chunk[CHUNK];
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        lab_die("cannot listen");
    }
    wish.port = ntohs(address.sin_port);
    int writer = dial(), reader = accept(listener, NULL, NULL), status;
    int64_t start = now_us();
    pid_t child = fork();
    if (child == 0) {
        exec_cat(writer);
    }
    close(writer);
    for (ssize_t len; (len = recv(reader, chunk, CHUNK, 0)) > 0;) {
        bytes_read += (uint64_t)len;
    }
    double took = (double)(now_us() - start) / 1e6;
    if (waitpid(child, &status, 0) != child || status) {
        lab_give_up("cat failed");
    }
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("seconds=%.3f bytes=%llu mb_per_s=%.0f cat_cpu_s=%.3f\n", took,
           (unsigned long long)bytes_read, (double)bytes_read / took / 1e6,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static void take_options(int argc, char **argv) {
    const struct {
        const char *name;
        int *number;
        const char **text;
    } options[] = {
        {"--port", &wish.port, NULL},       {"--pid", &wish.pid, NULL},
        {"--readers", &wish.readers, NULL}, {"--live", &wish.live, NULL},
        {"--rate", &wish.rate, NULL},       {"--before", &wish.before, NULL},
        {"--path", NULL, &wish.path},       {"--save", NULL, &wish.save},
        {"--cat", NULL, &wish.cat},         {"--cat-cpu", &wish.cat_cpu, NULL},
        {"--limit", &wish.limit, NULL},
    };
    for (int i = 1; i + 1 < argc; i += 2) {
        for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
            if (strcmp(argv[i], options[k].name) == 0 && options[k].number) {
                *options[k].number = atoi(argv[i + 1]);
            } else if (strcmp(argv[i], options[k].name) == 0) {
                *options[k].text = argv[i + 1];
            }
        }
    }
}

int main(int argc, char **argv) {
    take_options(argc, argv);
    lab_take_descriptors();
    if (wish.cat) {
        run_cat();
    } else {
        run();
    }
    return 0;
}
