// The policy: everyone who asks for gzip gets it, but for topics where the operator has turned it off.
// A pattern may name any topic, so where it is off for some, it is off for patterns.
#include "server/compression.h"

#include "hub/topic.h"
#include "server/wish.h"
#include "server/worker.h"

enum { ANSWER_MIN = 256 }; // below it the effort buys next to nothing

static bool is_offered(const struct settings *settings) {
    const struct topic_settings *topics = settings->topics.items;
    bool offered = settings->compression == COMPRESSION_ON;
    for (size_t i = 0; i < settings->topics.count && !offered; i++) {
        offered = topics[i].compression == COMPRESSION_ON;
    }
    return offered && gzip_available();
}

static bool is_same_everywhere(const struct settings *settings) {
    const struct topic_settings *topics = settings->topics.items;
    for (size_t i = 0; i < settings->topics.count; i++) {
        if (topics[i].compression != settings->compression) {
            return false;
        }
    }
    return true;
}

static bool is_allowed(const struct settings *settings, struct bytes topic) {
    const struct topic_settings *topics = settings->topics.items;
    for (size_t i = 0; i < settings->topics.count; i++) {
        if (topic_matches(bytes_of(topics[i].pattern), topic)) {
            return topics[i].compression == COMPRESSION_ON;
        }
    }
    return settings->compression == COMPRESSION_ON;
}

static bool are_allowed(const struct settings *settings, const struct wish *wish) {
    bool same = is_same_everywhere(settings);
    for (size_t i = 0; i < wish->name_count; i++) {
        struct bytes name = wish->names[i];
        if ((!same && topic_is_pattern(name)) || !is_allowed(settings, name)) {
            return false;
        }
    }
    return true;
}

bool compression_wanted(const struct settings *settings, const struct wish *wish,
                        const struct http_request *req) {
    return http_accepts_gzip(http_request_header(req, "accept-encoding")) && is_offered(settings) &&
           are_allowed(settings, wish);
}

void compression_add_vary(const struct settings *settings, struct reply *reply) {
    reply_add(reply, "Vary", bytes_of(is_offered(settings) ? "Accept, Accept-Encoding" : "Accept"));
}

void compression_apply(struct worker *worker, struct reply *reply, struct buf *into) {
    bool worth_it = reply->body.len >= ANSWER_MIN && reply->body.len <= PACK_DEFLATE_MAX;
    // Without memory it goes as it is.
    if (!worth_it || pack_answer(&worker->hub.packs, reply->body, into) ||
        into->len >= reply->body.len) {
        return;
    }
    reply->body = buf_bytes(into);
    reply_add(reply, "Content-Encoding", bytes_of("gzip"));
}
