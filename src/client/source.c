// The life of a source: opened once, connected again and again, with a wait in between that anybody
// may cut short through the stop descriptor.
#include "client/source.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/source_private.h"
#include "client/url.h"

// A connection that stayed this long was not in vain, even if there was no event.
enum { GOOD_CONNECTION_MS = 5000 };

void source_settings_default(struct source_settings *settings) {
    *settings = (struct source_settings){
        .mem = &mem_libc,
        .reconnect = true,
        .retry_ms = 3000,
        .connect_timeout_ms = 30 * 1000,
        .read_timeout_ms = 45 * 1000,
        .max_event = (size_t)16 << 20,
        .seed = 1,
        .stop_fd = -1,
    };
}

enum source_outcome source_say(struct source *source, enum source_outcome outcome,
                               const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(source->reason, sizeof(source->reason), format, args);
    va_end(args);
    return outcome;
}

void source_note(struct source *source, enum source_note note, const char *sentence) {
    if (source->settings.on_note) {
        source->settings.on_note(source->settings.user_data, note, sentence);
    }
}

static int on_event(void *user_data, const struct freshet_event *event) {
    struct source *source = user_data;
    source->got_event = true;
    source->stopped = source->settings.on_event(source->settings.user_data, event) != 0;
    return source->stopped;
}

static void on_retry(void *user_data, int64_t milliseconds) {
    struct source *source = user_data;
    backoff_set_retry(&source->backoff, milliseconds);
}

static int from_parser(int error) {
    return error == FRESHET_ERR_NOMEM ? ERR_NOMEM : error ? ERR_INVALID : 0;
}

static int open_parser(struct source *source) {
    const struct source_settings *settings = &source->settings;
    struct freshet_parser_settings parser;
    freshet_parser_settings_default(&parser);
    parser.max_line = settings->max_event + 64; // the name of the field, and some
    parser.max_event = settings->max_event;
    parser.last_id =
        (struct freshet_text){.at = settings->last_id.at, .len = settings->last_id.len};
    parser.allocator.resize = settings->mem->resize;
    parser.allocator.ctx = settings->mem->ctx;
    parser.on_event = on_event;
    parser.on_retry = on_retry;
    parser.user = source;
    return from_parser(freshet_parser_open(&source->parser, &parser));
}

static int open_parts(struct source *source) {
    const char *url = source->settings.url;
    if (!url || !url_is_http(url)) {
        return ERR_INVALID;
    }
    int rc = url_take_credentials(url, &source->home, &source->user, &source->password);
    rc = rc ? rc : open_parser(source);
    return rc ? rc : transfer_create(&source->transfer, source->settings.mem);
}

int source_open(struct source **out, const struct source_settings *settings) {
    *out = NULL;
    struct source *source = mem_new(settings->mem, sizeof(*source));
    if (!source) {
        return ERR_NOMEM;
    }
    source->settings = *settings;
    source->home_trusted = true;
    backoff_init(&source->backoff, settings->retry_ms, settings->seed);
    buf_init(&source->user, settings->mem, SOURCE_URL_MAX);
    buf_init(&source->password, settings->mem, SOURCE_URL_MAX);
    buf_init(&source->home, settings->mem, SOURCE_URL_MAX);
    buf_init(&source->url, settings->mem, SOURCE_URL_MAX);
    buf_init(&source->error_body, settings->mem, SOURCE_ERROR_BODY_MAX);
    int rc = open_parts(source);
    if (rc) {
        source_close(&source);
    }
    *out = source;
    return rc;
}

void source_close(struct source **out) {
    struct source *source = *out;
    *out = NULL;
    if (!source) {
        return;
    }
    freshet_parser_close(&source->parser);
    transfer_destroy(source->transfer);
    buf_finish(&source->user);
    buf_finish(&source->password);
    buf_finish(&source->home);
    buf_finish(&source->url);
    buf_finish(&source->error_body);
    mem_free(source->settings.mem, source);
}

static int64_t wait_of(struct source *source) {
    bool did_good = source->opened && (source->got_event ||
                                       clock_mono_ms() - source->opened_at >= GOOD_CONNECTION_MS);
    int64_t wait = backoff_next(&source->backoff, did_good);
    return wait < source->retry_after ? source->retry_after : wait;
}

// False when the end was asked for meanwhile.
static bool pause_for(struct source *source, int64_t milliseconds) {
    struct pollfd stop = {.fd = source->settings.stop_fd, .events = POLLIN};
    int64_t deadline = clock_mono_ms() + milliseconds;
    for (;;) {
        int64_t left = deadline - clock_mono_ms();
        if (left <= 0) {
            return true;
        }
        // A negative descriptor is one that poll ignores.
        if (poll(&stop, 1, (int)left) > 0) {
            return false;
        }
    }
}

int source_run(struct source *source) {
    char sentence[800];
    for (;;) {
        enum source_outcome outcome = source_connect(source);
        if (outcome == SOURCE_HALTED) {
            return SOURCE_STOPPED;
        }
        if (outcome == SOURCE_HOPELESS) {
            return ERR_GONE;
        }
        if (outcome == SOURCE_FINISHED) {
            return SOURCE_ENDED;
        }
        if (!source->settings.reconnect) {
            return source->opened ? SOURCE_ENDED : ERR_GONE;
        }
        int64_t wait = wait_of(source);
        snprintf(sentence, sizeof(sentence), "%s; connecting again in %lld.%lld s", source->reason,
                 (long long)(wait / 1000), (long long)(wait % 1000 / 100));
        source_note(source, SOURCE_LOST, sentence);
        if (!pause_for(source, wait)) {
            return SOURCE_STOPPED;
        }
    }
}

const char *source_reason(const struct source *source) {
    return source->reason;
}
