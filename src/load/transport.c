// The requests of listeners. Streams give their cursor as a browser does when it comes back, in a
// header; polls in the URL, where a cache can see it. The first poll does not wait: it is told where
// it begins, and nothing that is published from then on is missed.
#include "load/transport.h"

// The key of RFC 6455's own example. It is no secret; that the answer knows it is not checked.
static const char UPGRADE[] = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

static const char *const headers[] = {
    [LOAD_EVENT_STREAM] = "Accept: text/event-stream\r\n",
    [LOAD_NDJSON] = "Accept: application/x-ndjson\r\n",
    [LOAD_POLL] = "Accept: application/json\r\n",
    [LOAD_WEBSOCKET] = "",
    [LOAD_WEBSOCKET_STREAM] = "Sec-WebSocket-Protocol: freshet.stream\r\n",
};

// One topic by its template, several as repeated parameters, which only freshet has.
static int write_path(const struct load_shared *shared, unsigned first_topic, struct buf *out) {
    const struct load_settings *settings = shared->settings;
    char topic[TARGET_TOPIC_MAX];
    struct bytes none = {0};
    if (settings->pattern) {
        return target_fill(out, shared->subscribe.path, bytes_of(settings->pattern), none, true);
    }
    if (shared->listener_topics == 1) {
        return target_fill(out, shared->subscribe.path,
                           target_topic(topic, settings->topic_prefix, first_topic), none, true);
    }
    int rc = buf_append_text(out, "/events");
    for (unsigned slot = 0; slot < shared->listener_topics && rc == 0; slot++) {
        unsigned number = (first_topic + slot) % settings->topics;
        struct bytes name = target_topic(topic, settings->topic_prefix, number);
        rc = buf_printf(out, "%ctopic=%.*s", slot ? '&' : '?', (int)name.len, name.at);
    }
    return rc;
}

static int write_poll(const struct transport_ask *ask, size_t path, struct buf *out) {
    bool query = memchr(out->at + path, '?', out->len - path) != NULL;
    int rc = buf_append_text(out, query ? "&" : "?");
    rc = rc ? rc : buf_printf(out, "wait=%d", ask->first ? 0 : LOAD_POLL_WAIT_S);
    if (rc == 0 && ask->cursor.len) {
        rc = buf_printf(out, "&last_event_id=%.*s", (int)ask->cursor.len, ask->cursor.at);
    }
    return rc;
}

int transport_request(const struct load_shared *shared, const struct transport_ask *ask,
                      struct buf *out) {
    const struct load_settings *settings = shared->settings;
    const struct target *target = &shared->subscribe;
    bool poll = settings->transport == LOAD_POLL;
    buf_clear(out);
    int rc = buf_append_text(out, "GET ");
    size_t path = out->len;
    rc = rc ? rc : write_path(shared, ask->first_topic, out);
    if (rc == 0 && poll) {
        rc = write_poll(ask, path, out);
    }
    rc = rc ? rc
            : buf_printf(out, " HTTP/1.1\r\nHost: %.*s\r\n%s%s%s", (int)target->host_len,
                         target->host, headers[settings->transport],
                         settings->gzip ? "Accept-Encoding: gzip\r\n" : "",
                         transport_status(settings->transport) == 101 ? UPGRADE : "");
    if (rc == 0 && ask->cursor.len && !poll) {
        rc = buf_printf(out, "Last-Event-ID: %.*s\r\n", (int)ask->cursor.len, ask->cursor.at);
    }
    return rc ? rc : buf_append_text(out, "\r\n");
}
