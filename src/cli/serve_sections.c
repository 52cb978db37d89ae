// What the file of `freshet serve` may say of some topics, or of an address, apart from the others.
#include "cli/serve_options.h"

#include "hub/topic.h"
#include "net/listen_spec.h"
#include "server/settings.h"
#include "server/worker.h"

// More would make the first event of each new topic slow for everyone: it is matched against all.
enum { TOPIC_SECTIONS_MAX = 256 };

static const struct option_member topic_members[] = {
    {"history-count", offsetof(struct topic_settings, history_count)},
    {"history-topic-bytes", offsetof(struct topic_settings, history_topic_bytes)},
    {"history-age", offsetof(struct topic_settings, history_age_ms)},
    {"compression", offsetof(struct topic_settings, compression)},
    {NULL, 0},
};

static const struct option_member listen_members[] = {
    {"tls-cert", offsetof(struct listen_settings, tls_cert)},
    {"tls-key", offsetof(struct listen_settings, tls_key)},
    {"tls-client-ca", offsetof(struct listen_settings, tls_client_ca)},
    {"tls-client-auth", offsetof(struct listen_settings, tls_client_auth)},
    {"tls-min-version", offsetof(struct listen_settings, tls_min_version)},
    {"http2", offsetof(struct listen_settings, http2)},
    {NULL, 0},
};

// The section is found by the address alone, so that nothing may stand behind it.
static const char *listen_problem(struct bytes address) {
    char text[512];
    struct listen_spec spec;
    if (address.len >= sizeof(text)) {
        return "it is too long";
    }
    if (memchr(address.at, ';', address.len)) {
        return "write the address without what stands behind its semicolon";
    }
    memcpy(text, address.at, address.len);
    text[address.len] = '\0';
    return listen_spec_parse(text, &spec);
}

const struct option_section serve_sections[] = {
    {.name = "topics",
     .argument = "PATTERN",
     .offset = offsetof(struct settings, topics),
     .size = sizeof(struct topic_settings),
     .most = TOPIC_SECTIONS_MAX,
     .live = true,
     .members = topic_members,
     .problem = topic_problem,
     .help =
         "It says what history keeps of the topics that the pattern matches (a name, or one with "
         "wildcards), and whether they may be compressed; of several sections that match a topic "
         "the first counts.",
     .example = "history-count = 1000\n"
                "\n"
                "[topics \"sensors/**\"]\n"
                "history-count = 100000\n"
                "history-age = 30d\n"},
    {.name = "listen",
     .argument = "ADDRESS",
     .offset = offsetof(struct settings, listen_sections),
     .size = sizeof(struct listen_settings),
     .most = WORKER_LISTENERS_MAX,
     .members = listen_members,
     .problem = listen_problem,
     .help = "It says how clients are served at this address, which the setting listen has to name "
             "as well. Its certificates take the place of all others there.",
     .example = "listen = https://203.0.113.1:443, https://10.0.0.1:8443\n"
                "tls-cert = /etc/freshet/public.pem\n"
                "\n"
                "[listen \"https://10.0.0.1:8443\"]\n"
                "tls-cert = /etc/freshet/inside.pem\n"
                "tls-client-ca = /etc/freshet/inside-authority.pem\n"
                "tls-min-version = 1.3\n"},
    {.name = NULL},
};
