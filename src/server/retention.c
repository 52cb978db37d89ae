// The settings of the program and the sections of its file become the limits of history, in the order
// of the file.
#include "server/retention.h"

#include <stdlib.h>

#include "base/error.h"

int retention_limits(const struct settings *settings, struct history_limits *limits,
                     struct history_rule **rules) {
    const struct topic_settings *topics = settings->topics.items;
    size_t count = settings->topics.count;
    *rules = calloc(count + 1, sizeof(**rules));
    if (!*rules) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        (*rules)[i] = (struct history_rule){
            .pattern = bytes_of(topics[i].pattern),
            .limits = {.count = topics[i].history_count,
                       .bytes = topics[i].history_topic_bytes,
                       .age_ms = topics[i].history_age_ms},
        };
    }
    *limits = (struct history_limits){
        .topic = {.count = settings->history_count,
                  .bytes = settings->history_topic_bytes,
                  .age_ms = settings->history_age_ms},
        .rules = *rules,
        .rule_count = count,
        .bytes = settings->history_bytes,
    };
    return 0;
}
