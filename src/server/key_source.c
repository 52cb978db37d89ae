// Fetching keys. Whoever sends nonsense can cause a fetch, so there is a pause between two of them,
// whatever happens; an answer has a ceiling and has to come in time; and redirects are not followed: a
// URL that keys come from is written down whole.
#include "server/key_source.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "auth/key_set.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "client/transfer.h"

enum { PAUSE_MS = 10000, CONNECT_MS = 5000, IDLE_MS = 5000 };

struct key_source {
    struct key_source_settings settings;
    struct transfer *transfer;
    struct buf *texts; // one for each URL
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int stop_fd;
    bool running, ending, nudged;
};

struct answer {
    struct buf text;
    long status;
};

static int on_head(void *ctx, const struct transfer_head *head) {
    struct answer *answer = ctx;
    answer->status = head->status;
    return 0;
}

static int on_body(void *ctx, struct bytes bytes) {
    struct answer *answer = ctx;
    return buf_append(&answer->text, bytes.at, bytes.len);
}

// Why there is no text to be had, or NULL.
static const char *judge(const struct key_source *source, enum transfer_end end,
                         const struct answer *answer) {
    if (end == TRANSFER_CUT) {
        return "the answer is too large for a set of keys";
    }
    if (end != TRANSFER_DONE) {
        return transfer_reason(source->transfer);
    }
    return answer->status == 200 ? NULL : "the answer is not a 200";
}

// True when the text is another than before.
static bool fetch(struct key_source *source, size_t place) {
    const char *url = source->settings.urls->items[place];
    static const char *const headers[] = {"Accept: application/jwk-set+json, application/json",
                                          NULL};
    struct answer answer = {0};
    struct transfer_request request = {.url = url,
                                       .headers = headers,
                                       .upload_fd = -1,
                                       .stop_fd = source->stop_fd,
                                       .connect_timeout_ms = CONNECT_MS,
                                       .idle_timeout_ms = IDLE_MS,
                                       .on_head = on_head,
                                       .on_body = on_body,
                                       .user_data = &answer};
    buf_init(&answer.text, &mem_libc, KEY_FILE_MAX);
    enum transfer_end end = transfer_run(source->transfer, &request);
    const char *problem = judge(source, end, &answer);
    if (problem && end != TRANSFER_STOPPED) {
        log_write(LOG_WARN, "no keys from %s: %s", url, problem);
    }
    bool other =
        !problem && !bytes_equal(buf_bytes(&answer.text), buf_bytes(&source->texts[place]));
    if (other) {
        buf_finish(&source->texts[place]);
        source->texts[place] = answer.text;
    } else {
        buf_finish(&answer.text);
    }
    return other;
}

static void hand_over(struct key_source *source) {
    size_t count = source->settings.urls->count;
    struct bytes *texts = calloc(count, sizeof(*texts));
    const char *problem = "not enough memory";
    for (size_t i = 0; texts && i < count; i++) {
        texts[i] = buf_bytes(&source->texts[i]);
    }
    int rc =
        texts ? source->settings.fetched(source->settings.ctx, texts, count, &problem) : ERR_NOMEM;
    if (rc) {
        log_write(LOG_ERROR, "the keys stay as they were: %s", problem);
    }
    free(texts);
}

static void fetch_all(struct key_source *source) {
    bool other = false;
    for (size_t i = 0; i < source->settings.urls->count; i++) {
        other |= fetch(source, i);
    }
    if (other) {
        hand_over(source);
    }
}

static struct timespec after(int64_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

// Until it is nudged (if that counts), ended, or the time has come. The lock is held.
static void rest(struct key_source *source, int64_t ms, bool nudge_counts) {
    struct timespec until = after(ms);
    int rc = 0;
    while (rc == 0 && !source->ending && !(nudge_counts && source->nudged)) {
        rc = pthread_cond_timedwait(&source->wake, &source->lock, &until);
    }
}

static void *run(void *ctx) {
    struct key_source *source = ctx;
    int64_t refresh = source->settings.refresh_ms;
    int64_t pause = refresh < PAUSE_MS ? refresh : PAUSE_MS;
    pthread_mutex_lock(&source->lock);
    while (!source->ending) {
        rest(source, pause, false);
        rest(source, refresh - pause, true);
        source->nudged = false;
        if (!source->ending) {
            pthread_mutex_unlock(&source->lock);
            fetch_all(source);
            pthread_mutex_lock(&source->lock);
        }
    }
    pthread_mutex_unlock(&source->lock);
    return NULL;
}

static void init_wake(struct key_source *source) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&source->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int make_room(struct key_source *source) {
    size_t count = source->settings.urls->count;
    source->texts = calloc(count, sizeof(*source->texts));
    for (size_t i = 0; source->texts && i < count; i++) {
        buf_init(&source->texts[i], &mem_libc, 0);
    }
    return source->texts ? transfer_create(&source->transfer, &mem_libc) : ERR_NOMEM;
}

int key_source_open(struct key_source **out, const struct key_source_settings *settings) {
    struct key_source *source = calloc(1, sizeof(*source));
    *out = NULL;
    if (!source) {
        return ERR_NOMEM;
    }
    source->settings = *settings;
    pthread_mutex_init(&source->lock, NULL);
    init_wake(source);
    source->stop_fd = eventfd(0, EFD_CLOEXEC);
    int rc = source->stop_fd < 0 ? ERR_SYSTEM : make_room(source);
    if (rc == 0) {
        fetch_all(source);
        rc = thread_start(&source->thread, run, source);
    }
    source->running = rc == 0;
    *out = source;
    if (rc) {
        key_source_close(out);
    }
    return rc;
}

static void stop(struct key_source *source) {
    uint64_t one = 1;
    pthread_mutex_lock(&source->lock);
    source->ending = true;
    pthread_cond_signal(&source->wake);
    pthread_mutex_unlock(&source->lock);
    while (write(source->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    pthread_join(source->thread, NULL);
}

void key_source_close(struct key_source **closed) {
    struct key_source *source = *closed;
    *closed = NULL;
    if (!source) {
        return;
    }
    if (source->running) {
        stop(source);
    }
    for (size_t i = 0; source->texts && i < source->settings.urls->count; i++) {
        buf_finish(&source->texts[i]);
    }
    free(source->texts);
    transfer_destroy(source->transfer);
    if (source->stop_fd >= 0) {
        close(source->stop_fd);
    }
    pthread_cond_destroy(&source->wake);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

void key_source_nudge(struct key_source *source) {
    pthread_mutex_lock(&source->lock);
    source->nudged = true;
    pthread_cond_signal(&source->wake);
    pthread_mutex_unlock(&source->lock);
}
