// Lines are put together where things happen, and written in the order in which they arrive at the main
// thread. A write that fails is told in the log, once until one works again.
#include "server/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "http/time.h"
#include "server/worker.h"

struct audit {
    struct server *server;
    int fd; // -1: lines are dropped. The main thread's, like the next
    bool failing;
    atomic_bool on; // there is a file
    atomic_uint waiting;
    atomic_ullong beyond;
};

struct line {
    struct task task;
    struct audit *audit;
    struct buf text;
};

// What is known of a request that is watched.
struct audit_note {
    const char *action, *method;
    bool changes;
    char path[AUDIT_PATH_MAX + 1];
};

// --- the file ---

int audit_open_file(const char *name, int *fd, char problem[AUDIT_PROBLEM_MAX]) {
    *fd = -1;
    if (!name) {
        return 0;
    }
    *fd = strcmp(name, "-") == 0
              ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
              : open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (*fd < 0) {
        snprintf(problem, AUDIT_PROBLEM_MAX, "--audit-log %.100s cannot be written: %s", name,
                 strerror(errno));
        return ERR_SYSTEM;
    }
    return 0;
}

int audit_check_file(const char *name, char problem[AUDIT_PROBLEM_MAX]) {
    bool is_there = name && strcmp(name, "-") != 0 && access(name, F_OK) == 0;
    int fd = -1;
    if (is_there) {
        int rc = audit_open_file(name, &fd, problem);
        audit_close_file(fd);
        return rc;
    }
    const char *slash = name ? strrchr(name, '/') : NULL;
    char folder[AUDIT_PATH_MAX] = ".";
    if (slash) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name) + 1, name);
    }
    if (name && strcmp(name, "-") != 0 && access(folder, W_OK | X_OK)) {
        snprintf(problem, AUDIT_PROBLEM_MAX, "--audit-log %.100s cannot be made: %s", name,
                 strerror(errno));
        return ERR_SYSTEM;
    }
    return 0;
}

void audit_close_file(int fd) {
    if (fd >= 0) {
        close(fd);
    }
}

int audit_create(struct audit **out, struct server *server, int fd) {
    struct audit *audit = calloc(1, sizeof(*audit));
    if (!audit) {
        audit_close_file(fd);
        return ERR_NOMEM;
    }
    audit->server = server;
    audit->fd = -1;
    audit_use_file(audit, fd);
    *out = audit;
    return 0;
}

void audit_use_file(struct audit *audit, int fd) {
    audit_close_file(audit->fd);
    audit->fd = fd;
    audit->failing = false;
    atomic_store(&audit->on, fd >= 0);
}

void audit_destroy(struct audit **audit) {
    if (*audit) {
        audit_close_file((*audit)->fd);
        free(*audit);
        *audit = NULL;
    }
}

// --- writing: the main thread ---

static void write_all(struct audit *audit, struct bytes text) {
    while (text.len) {
        ssize_t n = write(audit->fd, text.at, text.len);
        if (n < 0 && errno != EINTR) {
            if (!audit->failing) {
                log_write(LOG_ERROR, "--audit-log cannot be written: %s", strerror(errno));
            }
            audit->failing = true;
            return;
        }
        text = n > 0 ? bytes_make(text.at + n, text.len - (size_t)n) : text;
    }
    audit->failing = false;
}

static void write_beyond(struct audit *audit) {
    char text[64];
    unsigned long long count = atomic_exchange(&audit->beyond, 0);
    if (count) {
        int len = snprintf(text, sizeof(text), "{\"action\":\"lost\",\"lines\":%llu}\n", count);
        write_all(audit, bytes_make(text, (size_t)len));
    }
}

static void drop_line(struct task *task) {
    struct line *line = container_of(task, struct line, task);
    atomic_fetch_sub(&line->audit->waiting, 1);
    buf_finish(&line->text);
    free(line);
}

static void write_line(struct worker *worker, struct task *task) {
    struct line *line = container_of(task, struct line, task);
    (void)worker;
    if (line->audit->fd >= 0) {
        write_beyond(line->audit);
        write_all(line->audit, buf_bytes(&line->text));
    }
    drop_line(task);
}

// --- lines ---

// Who did what; a NULL is left out.
struct deed {
    const char *action, *method, *path, *by, *address;
    struct bytes subject;
    int status; // 0: nobody waited for the answer
    const char *outcome;
};

static int append_text(struct buf *out, const char *name, struct bytes value) {
    int rc = value.at ? buf_printf(out, ",\"%s\":", name) : 0;
    return rc || !value.at ? rc : json_append_string(out, value);
}

static struct bytes optional(const char *text) {
    return text ? bytes_of(text) : bytes_make(NULL, 0);
}

static int compose(struct buf *out, const struct deed *deed) {
    char when[HTTP_TIME_SIZE];
    http_time_format(clock_wall_ms(), when);
    int rc = buf_printf(out, "{\"time\":\"%s\"", when);
    rc = rc ? rc : append_text(out, "action", optional(deed->action));
    rc = rc ? rc : append_text(out, "outcome", optional(deed->outcome));
    rc = rc || !deed->status ? rc : buf_printf(out, ",\"status\":%d", deed->status);
    rc = rc ? rc : append_text(out, "by", optional(deed->by));
    rc = rc ? rc : append_text(out, "subject", deed->subject);
    rc = rc ? rc : append_text(out, "address", optional(deed->address));
    rc = rc ? rc : append_text(out, "method", optional(deed->method));
    rc = rc ? rc : append_text(out, "path", optional(deed->path));
    return rc ? rc : buf_append_text(out, "}\n");
}

static void hand_over(struct audit *audit, const struct deed *deed) {
    if (atomic_fetch_add(&audit->waiting, 1) >= AUDIT_WAITING) {
        atomic_fetch_sub(&audit->waiting, 1);
        atomic_fetch_add(&audit->beyond, 1);
        return;
    }
    struct line *line = malloc(sizeof(*line));
    if (!line) {
        atomic_fetch_sub(&audit->waiting, 1);
        atomic_fetch_add(&audit->beyond, 1);
        return;
    }
    *line = (struct line){.task = {.run = write_line, .cancel = drop_line}, .audit = audit};
    buf_init(&line->text, &mem_libc, 0);
    if (compose(&line->text, deed)) {
        atomic_fetch_add(&audit->beyond, 1);
        drop_line(&line->task);
        return;
    }
    server_post(audit->server, &line->task);
}

static struct audit *audit_of(const struct exchange *exchange) {
    struct audit *audit = exchange->worker->server->audit;
    return audit && atomic_load(&audit->on) ? audit : NULL;
}

static const char *method_name(enum http_method method) {
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_DELETE:
        return "DELETE";
    default:
        return NULL;
    }
}

int audit_watch(struct exchange *exchange, const struct http_request *req, const char *action) {
    if (!audit_of(exchange)) {
        return 0;
    }
    struct audit_note *note = malloc(sizeof(*note));
    if (!note) {
        return ERR_NOMEM;
    }
    bool changes = req->method == HTTP_POST || req->method == HTTP_DELETE;
    *note = (struct audit_note){
        .action = changes ? action : "read",
        .method = method_name(req->method),
        .changes = changes,
    };
    snprintf(note->path, sizeof(note->path), "%.*s", (int)req->path.len, req->path.at);
    exchange->watched = note;
    return 0;
}

static const char *who(const struct exchange *exchange) {
    return exchange->administers ? "admin-token" : exchange->identity ? "token" : "anyone";
}

static void note_end(struct audit *audit, const struct exchange *exchange,
                     const struct audit_note *note) {
    char address[ADDRESS_TEXT_MAX];
    int status = exchange->status;
    bool refused = status == 401 || status == 403;
    peer_format(&exchange->client, address);
    struct deed deed = {
        .action = note->action,
        .method = note->method,
        .path = note->path,
        .by = who(exchange),
        .address = address,
        .status = status,
        .outcome = refused        ? "refused"
                   : status == 0  ? "unknown"
                   : status < 400 ? "done"
                                  : "failed",
    };
    if (exchange->identity && exchange->identity->claims.subject.len) {
        deed.subject = buf_bytes(&exchange->identity->claims.subject);
    }
    if (refused || note->changes) {
        hand_over(audit, &deed);
    }
}

void audit_end(struct exchange *exchange) {
    struct audit *audit = audit_of(exchange);
    if (exchange->watched && audit) {
        note_end(audit, exchange, exchange->watched);
    }
    free(exchange->watched);
    exchange->watched = NULL;
}

void audit_note_signal(struct server *server, const char *action, bool done) {
    struct deed deed = {.action = action, .by = "signal", .outcome = done ? "done" : "failed"};
    if (server->audit && atomic_load(&server->audit->on)) {
        hand_over(server->audit, &deed);
    }
}
