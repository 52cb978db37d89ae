// The forms of a URL that are freshet's own, and any other.
#include "cli/doctor_target.h"

#include "base/error.h"
#include "client/url.h"

static const char EVENTS[] = "/events";

void doctor_target_init(struct doctor_target *target, const struct mem *mem) {
    buf_init(&target->listen, mem, 0);
    buf_init(&target->publish, mem, 0);
}

void doctor_target_finish(struct doctor_target *target) {
    buf_finish(&target->listen);
    buf_finish(&target->publish);
}

// base + "/events/" + topic.
static int append_own(struct buf *out, struct bytes base, const char *topic) {
    while (base.len && base.at[base.len - 1] == '/') {
        base.len--;
    }
    int rc = buf_append(out, base.at, base.len);
    rc = rc ? rc : buf_append_text(out, EVENTS);
    rc = rc ? rc : buf_append_text(out, "/");
    return rc ? rc : url_encode(out, bytes_of(topic), "/");
}

// The part of the URL before "/events", when that is a segment of its path; false when it is not.
static bool find_base(struct bytes url, struct bytes *base, struct bytes *rest) {
    size_t len = strlen(EVENTS);
    const char *host = memchr(url.at, '/', url.len);
    size_t from = host && (size_t)(host - url.at) + 2 <= url.len ? (size_t)(host - url.at) + 2 : 0;
    for (size_t i = from; i + len <= url.len && url.at[i] != '?'; i++) {
        bool ends = i + len == url.len || url.at[i + len] == '/' || url.at[i + len] == '?';
        if (ends && memcmp(url.at + i, EVENTS, len) == 0) {
            *base = bytes_make(url.at, i);
            *rest = bytes_make(url.at + i + len, url.len - i - len);
            return true;
        }
    }
    return false;
}

// Whether the URL is that of a host, without a path or a query.
static bool is_host(struct bytes url) {
    const char *scheme = memchr(url.at, '/', url.len);
    struct bytes host = url;
    if (scheme && (size_t)(scheme - url.at) + 2 <= url.len) {
        host = bytes_make(scheme + 2, url.len - (size_t)(scheme + 2 - url.at));
    }
    const char *path = memchr(host.at, '/', host.len);
    return !memchr(host.at, '?', host.len) && (!path || path + 1 == host.at + host.len);
}

static int make_listen(struct doctor_target *target, struct bytes url, const char *topic,
                       bool given) {
    struct bytes base = url, rest = bytes_of("");
    bool bare =
        is_host(url) || (find_base(url, &base, &rest) && (rest.len == 0 || bytes_is(rest, "/")));
    if (bare) {
        return append_own(&target->listen, base, topic);
    }
    int rc = buf_append(&target->listen, url.at, url.len);
    rc = rc ? rc : buf_append(&target->listen, "", 1);
    target->listen.len -= rc == 0;
    return rc || given ? rc : url_add_parameter(&target->listen, "topic", bytes_of(topic));
}

static int make_publish(struct doctor_target *target, struct bytes url, const char *publish_url,
                        const char *topic) {
    struct bytes base = url, rest;
    if (publish_url) {
        if (!url_is_http(publish_url) || strpbrk(publish_url, "?#")) {
            return ERR_INVALID;
        }
        return append_own(&target->publish, bytes_of(publish_url), topic);
    }
    if (is_host(url) || find_base(url, &base, &rest)) {
        return append_own(&target->publish, base, topic);
    }
    return 0;
}

int doctor_target_make(struct doctor_target *target, const char *url, const char *publish_url,
                       const char *topic, bool given) {
    struct bytes whole = bytes_make(url, strcspn(url, "#"));
    if (!url_is_http(url) || !strstr(url, "://")) {
        return ERR_INVALID;
    }
    int rc = make_listen(target, whole, topic, given);
    return rc ? rc : make_publish(target, whole, publish_url, topic);
}

bool doctor_target_asks_past(const char *url) {
    static const char *const names[] = {"last=", "since=", "last_event_id="};
    for (const char *at = strchr(url, '?'); at; at = strchr(at, '&')) {
        at++;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (strncmp(at, names[i], strlen(names[i])) == 0) {
                return true;
            }
        }
    }
    return false;
}
