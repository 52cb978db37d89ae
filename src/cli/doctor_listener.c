// The parser finds the events; comments it swallows, so lines are counted beside it.
#include "cli/doctor_listener.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"

#define DATA_PREFIX "freshet-doctor "

static void count_comments(struct doctor_listener *listener, struct bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        listener->comments += listener->line_begins && bytes.at[i] == ':';
        listener->line_begins = bytes.at[i] == '\n' || bytes.at[i] == '\r';
    }
}

static void on_body(void *user_data, struct bytes bytes) {
    struct doctor_listener *listener = user_data;
    listener->last_byte = clock_mono_ms();
    listener->first_byte = listener->first_byte ? listener->first_byte : listener->last_byte;
    count_comments(listener, bytes);
    listener->garbled |= freshet_parser_feed(listener->parser, bytes.at, bytes.len) != 0;
}

static int on_event(void *user_data, const struct freshet_event *event) {
    struct doctor_listener *listener = user_data;
    struct bytes data = bytes_make(event->data.at, event->data.len);
    uint64_t number;
    if (!bytes_starts_with(data, DATA_PREFIX)) {
        return 0;
    }
    data = bytes_make(data.at + strlen(DATA_PREFIX), data.len - strlen(DATA_PREFIX));
    const char *end = memchr(data.at, ' ', data.len);
    if (!end || !bytes_to_u64(bytes_make(data.at, (size_t)(end - data.at)), DOCTOR_EVENTS_MAX - 1,
                              &number)) {
        return 0;
    }
    listener->came[number] = clock_mono_ms();
    if (!listener->first_id[0] && event->id.len < DOCTOR_ID_MAX) {
        memcpy(listener->first_id, event->id.at, event->id.len);
        listener->first_id[event->id.len] = '\0';
    }
    return 0;
}

int listener_begin(struct doctor_listener *listener, struct probe *probe, const char *url,
                   const char *const *headers, bool decode, int64_t connect_timeout_ms) {
    struct freshet_parser_settings settings;
    struct probe_request request = {.url = url,
                                    .method = "GET",
                                    .headers = headers,
                                    .decode = decode,
                                    .connect_timeout_ms = connect_timeout_ms,
                                    .on_body = on_body,
                                    .user_data = listener};
    *listener = (struct doctor_listener){.line_begins = true};
    freshet_parser_settings_default(&settings);
    settings.max_line = settings.max_event = 1 << 20;
    settings.on_event = on_event;
    settings.user = listener;
    int rc = freshet_parser_open(&listener->parser, &settings) ? ERR_NOMEM : 0;
    rc = rc ? rc : inquiry_begin(&listener->inquiry, probe, &request);
    if (rc) {
        listener_end(listener);
    }
    return rc;
}

void listener_end(struct doctor_listener *listener) {
    inquiry_end(&listener->inquiry);
    freshet_parser_close(&listener->parser);
}

bool listener_has_before(const struct doctor_listener *listener, unsigned number) {
    for (unsigned i = 0; i < number && i < DOCTOR_EVENTS_MAX; i++) {
        if (listener->came[i]) {
            return true;
        }
    }
    return false;
}

int doctor_event_data(struct buf *out, unsigned number, size_t len, uint64_t seed) {
    struct random noise = {.state = seed + number};
    int rc = buf_printf(out, DATA_PREFIX "%u ", number);
    while (rc == 0 && out->len < len) {
        rc = buf_printf(out, "%016llx", (unsigned long long)random_next(&noise));
    }
    return rc;
}
