// Posting with bounded patience: the number of attempts and the time for all of them are limited.
#include "client/post.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "client/answer.h"
#include "client/backoff.h"
#include "client/policy.h"
#include "client/transfer.h"
#include "client/url.h"

enum { ANSWER_MAX = 16 << 20, URL_MAX = 64 * 1024, FIRST_WAIT_MS = 250, HEADERS_MAX = 68 };

struct post {
    struct post_settings settings;
    struct transfer *transfer;
    struct buf url, user, password;
    struct buf answer;
    struct backoff backoff;
    long status;
    int64_t retry_after;
    char reason[640];
};

void post_settings_default(struct post_settings *settings) {
    *settings = (struct post_settings){
        .mem = &mem_libc,
        .attempts = 4,
        .connect_timeout_ms = 10 * 1000,
        .answer_timeout_ms = 30 * 1000,
        .patience_ms = 30 * 1000,
        .stop_fd = -1,
    };
}

static int open_parts(struct post *post) {
    const struct post_settings *settings = &post->settings;
    uint64_t seed = 0;
    if (!settings->url || !url_is_http(settings->url)) {
        return ERR_INVALID;
    }
    random_seed(&seed, sizeof(seed));
    backoff_init(&post->backoff, FIRST_WAIT_MS, seed);
    int rc = url_take_credentials(settings->url, &post->url, &post->user, &post->password);
    return rc ? rc : transfer_create(&post->transfer, settings->mem);
}

int post_open(struct post **out, const struct post_settings *settings) {
    *out = NULL;
    struct post *post = mem_new(settings->mem, sizeof(*post));
    if (!post) {
        return ERR_NOMEM;
    }
    post->settings = *settings;
    buf_init(&post->url, settings->mem, URL_MAX);
    buf_init(&post->user, settings->mem, URL_MAX);
    buf_init(&post->password, settings->mem, URL_MAX);
    buf_init(&post->answer, settings->mem, ANSWER_MAX);
    int rc = open_parts(post);
    if (rc) {
        post_close(&post);
    }
    *out = post;
    return rc;
}

void post_close(struct post **out) {
    struct post *post = *out;
    *out = NULL;
    if (!post) {
        return;
    }
    transfer_destroy(post->transfer);
    buf_finish(&post->url);
    buf_finish(&post->user);
    buf_finish(&post->password);
    buf_finish(&post->answer);
    mem_free(post->settings.mem, post);
}

static void say(struct post *post, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct post *post, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(post->reason, sizeof(post->reason), format, args);
    va_end(args);
}

static int on_head(void *user_data, const struct transfer_head *head) {
    struct post *post = user_data;
    post->status = head->status;
    post->retry_after = policy_retry_after(head->retry_after, clock_wall_ms());
    return 0;
}

static int on_body(void *user_data, struct bytes bytes) {
    struct post *post = user_data;
    return buf_append(&post->answer, bytes.at, bytes.len);
}

static void on_upload(void *user_data, size_t len) {
    struct post *post = user_data;
    if (post->settings.on_upload) {
        post->settings.on_upload(post->settings.user_data, len);
    }
}

struct headers {
    const char *lines[HEADERS_MAX];
    char content_type[128], key[64];
};

static int fill_headers(const struct post *post, struct headers *headers) {
    const char *const *given = post->settings.headers;
    uint64_t key[2];
    size_t n = 0;
    if (random_seed(key, sizeof(key)) != 0) {
        return ERR_SYSTEM;
    }
    snprintf(headers->content_type, sizeof(headers->content_type), "Content-Type: %s",
             post->settings.content_type);
    snprintf(headers->key, sizeof(headers->key), "Idempotency-Key: %016llx%016llx",
             (unsigned long long)key[0], (unsigned long long)key[1]);
    headers->lines[n++] = headers->content_type;
    headers->lines[n++] = headers->key;
    headers->lines[n++] = "Accept: application/json, application/problem+json";
    for (size_t i = 0; given && given[i] && n < HEADERS_MAX - 1; i++) {
        headers->lines[n++] = given[i];
    }
    headers->lines[n] = NULL;
    return 0;
}

enum verdict { ACCEPTED, REFUSED, AGAIN };

static enum verdict judge_status(struct post *post) {
    char detail[400];
    if (post->status >= 200 && post->status <= 299) {
        return ACCEPTED;
    }
    answer_detail(post->settings.mem, buf_bytes(&post->answer), detail, sizeof(detail));
    if (policy_status(post->status) == POLICY_REDIRECT) {
        const char *where = transfer_location(post->transfer);
        say(post, "the server has moved (%ld); use %.400s", post->status,
            where ? where : "its new URL");
        return REFUSED;
    }
    say(post, "the server says %ld%s%s", post->status, *detail ? ": " : "", detail);
    return policy_status(post->status) == POLICY_RETRY ? AGAIN : REFUSED;
}

static enum verdict attempt(struct post *post, const struct transfer_request *request) {
    buf_clear(&post->answer);
    post->status = 0;
    post->retry_after = -1;
    switch (transfer_run(post->transfer, request)) {
    case TRANSFER_STOPPED:
        say(post, "stopped before the server answered");
        return REFUSED;
    case TRANSFER_CUT:
        say(post, "the answer is larger than %d bytes", ANSWER_MAX);
        return REFUSED;
    case TRANSFER_REFUSED:
        say(post, "%s", transfer_reason(post->transfer));
        return REFUSED;
    case TRANSFER_BROKEN:
        say(post, "%s", transfer_reason(post->transfer));
        return AGAIN;
    case TRANSFER_DONE:
        break;
    }
    return judge_status(post);
}

// False when there is no time left, or the end was asked for.
static bool wait_before_next(struct post *post, int64_t deadline) {
    char sentence[800];
    struct pollfd stop = {.fd = post->settings.stop_fd, .events = POLLIN};
    int64_t wait = backoff_next(&post->backoff, false);
    wait = wait < post->retry_after ? post->retry_after : wait;
    if (clock_mono_ms() + wait > deadline) {
        return false;
    }
    snprintf(sentence, sizeof(sentence), "%s; trying again in %lld.%lld s", post->reason,
             (long long)(wait / 1000), (long long)(wait % 1000 / 100));
    if (post->settings.on_note) {
        post->settings.on_note(post->settings.user_data, sentence);
    }
    return poll(&stop, 1, (int)wait) <= 0;
}

static int run(struct post *post, struct transfer_request *request, unsigned attempts) {
    struct headers headers;
    int64_t deadline = clock_mono_ms() + post->settings.patience_ms;
    if (fill_headers(post, &headers) != 0) {
        say(post, "the system gives no random numbers");
        return ERR_SYSTEM;
    }
    request->headers = headers.lines;
    post->backoff.failures = 0;
    for (unsigned i = 1;; i++) {
        enum verdict verdict = attempt(post, request);
        if (verdict == ACCEPTED) {
            return 0;
        }
        if (verdict == REFUSED || i >= attempts || !wait_before_next(post, deadline)) {
            return ERR_GONE;
        }
    }
}

static struct transfer_request request_of(struct post *post) {
    return (struct transfer_request){
        .url = post->url.at,
        .user = post->user.at,
        .password = post->password.at,
        .post = true,
        .upload_fd = -1,
        .stop_fd = post->settings.stop_fd,
        .connect_timeout_ms = post->settings.connect_timeout_ms,
        .idle_timeout_ms = post->settings.answer_timeout_ms,
        .on_head = on_head,
        .on_body = on_body,
        .on_upload = on_upload,
        .user_data = post,
    };
}

int post_send(struct post *post, struct bytes body) {
    struct transfer_request request = request_of(post);
    request.body = body;
    return run(post, &request, post->settings.attempts);
}

int post_upload(struct post *post, int fd) {
    struct transfer_request request = request_of(post);
    request.upload_fd = fd;
    return run(post, &request, 1);
}

struct bytes post_answer(const struct post *post) {
    return buf_bytes(&post->answer);
}

const char *post_reason(const struct post *post) {
    return post->reason;
}
