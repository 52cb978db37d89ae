// What a worker counts, beside what its hub counts. Written by the worker only, read by anyone.
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include <stdatomic.h>

// Every limit that can be hit, by the name of its setting: one row in /metrics each.
enum limit {
    LIMIT_ADDRESS_BYTES,
    LIMIT_ADDRESS_CONNECTIONS,
    LIMIT_ADDRESS_EVENTS,
    LIMIT_ADDRESS_LISTENERS,
    LIMIT_ANSWER,
    LIMIT_AUTH_WAITING,
    LIMIT_BODY,
    LIMIT_BODY_TIMEOUT,
    LIMIT_CONNECTIONS,
    LIMIT_DESCRIPTORS,
    LIMIT_FLOOD,
    LIMIT_HEAD,
    LIMIT_HEADER_TIMEOUT,
    LIMIT_HEADERS,
    LIMIT_IDEMPOTENCY_KEYS,
    LIMIT_KEEPALIVE_TIMEOUT,
    LIMIT_MEMORY,
    LIMIT_PINNED,
    LIMIT_TICKETS,
    LIMIT_PUBLISH_TIMEOUT,
    LIMIT_PUBLISHER_BYTES,
    LIMIT_PUBLISHER_EVENTS,
    LIMIT_STREAMS,
    LIMIT_SUBJECT_LISTENERS,
    LIMIT_TOPIC_BYTES,
    LIMIT_TOPIC_EVENTS,
    LIMIT_TOPIC_LISTENERS,
    LIMIT_TOPICS,
    LIMIT_WEBSOCKET,
    LIMIT_COUNT,
};

struct counters {
    atomic_ullong accepted, closed;  // connections
    atomic_ullong requests, refused; // refused: answered with a problem
    atomic_ullong published, published_bytes;
    atomic_ullong repeated;      // published before, and so not again
    atomic_ullong unstored;      // publishes answered with 507
    atomic_ullong opened, ended; // subscriptions: streams and polls
    atomic_ullong proxy_refused; // connections whose PROXY header was missing, bad or a stranger's
    atomic_ullong forwarded_ignored; // requests whose Forwarded or X-Forwarded-For was malformed
    atomic_ullong limit_hits[LIMIT_COUNT];
};

// The name of its setting.
const char *limit_name(enum limit limit);

#endif
