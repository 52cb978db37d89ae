// The settings of a server, as the command line fills them in (cli/serve_options.c has the table
// with their names, defaults and help). A struct of them never changes; while the server runs it may be
// replaced by another as a whole (server/snapshot.h).
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/records.h"
#include "base/texts.h"

enum compression_choice { COMPRESSION_ON, COMPRESSION_OFF };

// What the config file says of the topics that a pattern matches.
struct topic_settings {
    char *pattern;
    uint64_t history_count, history_topic_bytes;
    int64_t history_age_ms;
    int compression; // enum compression_choice
};

// Whether clients show certificates. By itself, they have to where there are authorities for them.
enum clients_choice { CLIENTS_AUTO, CLIENTS_REQUIRED, CLIENTS_OPTIONAL, CLIENTS_NONE };

// What the config file says of one address. No certificate, and no authorities: those of all addresses.
struct listen_settings {
    char *address;
    struct texts tls_cert, tls_key;
    char *tls_client_ca;
    int tls_client_auth; // enum clients_choice
    int tls_min_version; // enum tls_version
    bool http2;
};

// What an acknowledged publish has been through.
enum durability {
    DURABILITY_COMMIT,  // it is on disk
    DURABILITY_RELAXED, // it will be, soon
};

// What follows when the backend that decides does not answer.
enum auth_failure { AUTH_DENY, AUTH_ALLOW };

enum forwarded_choice { FORWARDED_BY_X, FORWARDED_BY_RFC, FORWARDED_BY_NONE };

struct settings {
    struct texts listen, admin_listen, trusted_proxies;
    int forwarded_header; // enum forwarded_choice
    uint64_t workers;     // 0: one for each processor
    bool insecure, http2;
    struct records listen_sections; // of struct listen_settings

    struct texts tls_cert, tls_key;
    char *tls_client_ca;
    int tls_client_auth; // enum clients_choice
    int tls_min_version; // enum tls_version
    bool tls_self_signed, redirect_http;
    int64_t hsts_ms;
    uint64_t max_handshakes;

    int64_t heartbeat_ms, retry_ms, max_age_ms, max_wait_ms, cache_age_ms;
    char *greeting;
    int compression; // enum compression_choice
    struct texts cors_origin, host;
    int64_t cors_max_age_ms;

    char *api_keys_file;
    char *jwt_secret, *jwt_secret_file, *jwt_claim, *token_cookie;
    struct texts jwt_key, jwt_keys_url, jwt_issuer, jwt_audience, jwt_subscribe, jwt_publish;
    struct texts public_subscribe, public_publish;
    int64_t jwt_leeway_ms, jwt_refresh_ms, ticket_ms;
    uint64_t max_tickets;
    char *auth_url;
    struct texts auth_forward;
    int64_t auth_timeout_ms;
    int auth_on_failure; // enum auth_failure
    uint64_t auth_requests, auth_waiting, auth_cache;
    char *webhook_url, *webhook_secret_file;
    int64_t webhook_grace_ms, webhook_timeout_ms;
    uint64_t webhook_queue;

    char *data; // directory of the history on disk; NULL: history is in memory
    int durability;
    int64_t commit_interval_ms;
    uint64_t history_queue_bytes;
    uint64_t history_count, history_topic_bytes, history_bytes;
    int64_t history_age_ms;
    struct records topics; // of struct topic_settings; the first that matches counts
    char *id_file;
    int64_t idempotency_window_ms;
    uint64_t idempotency_keys;

    uint64_t max_connections, max_streams, max_topics, max_head, max_headers, max_body, max_answer;
    uint64_t max_connections_per_address; // 0: no limit, as with the next ones
    uint64_t max_listeners_per_address, max_listeners_per_subject, max_listeners_per_topic;
    uint64_t rate_publisher_events, rate_publisher_bytes, rate_address_events, rate_address_bytes;
    uint64_t rate_topic_events, rate_topic_bytes, rate_burst;
    uint64_t max_lag, max_lag_soft; // 0: no limit
    int64_t max_lag_ms;
    int lag_action; // enum lag_action
    uint64_t window_bytes, pinned_bytes, inbox_bytes, send_bytes, socket_buffer, backlog;
    int64_t header_timeout_ms, body_timeout_ms, publish_timeout_ms, keepalive_timeout_ms;
    int64_t dead_peer_ms;

    char *admin_token_file, *audit_log, *user;

    int64_t drain_ms;
    int log_level, log_format;
    char *config;
    bool check;
};

#endif
