// What every history has in common: whose limits count for a topic, and that it is destroyed through
// a pointer that is then NULL.
#include "history/history.h"

void history_destroy(struct history **history) {
    if (*history) {
        (*history)->destroy(*history);
        *history = NULL;
    }
}

const struct topic_limits *history_limits_of(const struct history_limits *limits,
                                             struct bytes name) {
    for (size_t i = 0; i < limits->rule_count; i++) {
        const struct history_rule *rule = &limits->rules[i];
        // A pattern is no topic, so a rule without wildcards matches its own name alone.
        if (bytes_equal(rule->pattern, name) || topic_matches(rule->pattern, name)) {
            return &rule->limits;
        }
    }
    return &limits->topic;
}
