// What every history has in common: whose limits count for a topic, and that it is destroyed through
// a pointer that is then NULL.
#include "history/history.h"

#include "base/error.h"

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

int history_rules_copy(struct history_rule **out, const struct mem *mem,
                       const struct history_limits *limits) {
    size_t size = (limits->rule_count + 1) * sizeof(**out), text = size;
    for (size_t i = 0; i < limits->rule_count; i++) {
        size += limits->rules[i].pattern.len;
    }
    struct history_rule *rules = mem_alloc(mem, size);
    *out = rules;
    for (size_t i = 0; rules && i < limits->rule_count; i++) {
        struct bytes pattern = limits->rules[i].pattern;
        char *copy = memcpy((char *)rules + text, pattern.at, pattern.len);
        rules[i] = limits->rules[i];
        rules[i].pattern = bytes_make(copy, pattern.len);
        text += pattern.len;
    }
    return rules ? 0 : ERR_NOMEM;
}
