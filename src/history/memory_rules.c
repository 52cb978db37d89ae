// The last answers stand in a table without chains: a newer topic takes the place of an older one.
// Ages are collected once, so that a sweep goes over ages and not over rules.
#include "history/memory_rules.h"

#include "base/error.h"

static void add_age(struct memory_rules *rules, int64_t age_ms) {
    for (size_t i = 0; i < rules->age_count; i++) {
        if (rules->ages[i].age_ms == age_ms) {
            return;
        }
    }
    if (age_ms > 0) {
        rules->ages[rules->age_count++] = (struct memory_age){.age_ms = age_ms, .due = INT64_MIN};
    }
}

int memory_rules_init(struct memory_rules *rules, const struct mem *mem,
                      const struct history_limits *limits) {
    *rules = (struct memory_rules){.mem = mem, .limits = *limits};
    rules->ages = mem_alloc(mem, (limits->rule_count + 1) * sizeof(rules->ages[0]));
    if (!rules->ages) {
        return ERR_NOMEM;
    }
    add_age(rules, limits->topic.age_ms);
    for (size_t i = 0; i < limits->rule_count; i++) {
        add_age(rules, limits->rules[i].limits.age_ms);
    }
    return 0;
}

int memory_rules_copy(struct memory_rules *out, const struct memory_rules *before,
                      const struct history_limits *limits) {
    struct history_limits all = *limits;
    struct history_rule *own;
    if (history_rules_copy(&own, before->mem, limits)) {
        return ERR_NOMEM;
    }
    all.rules = own;
    all.bytes = before->limits.bytes;
    all.origin = before->limits.origin;
    if (memory_rules_init(out, before->mem, &all)) {
        mem_free(before->mem, own);
        return ERR_NOMEM;
    }
    out->own = own;
    return 0;
}

void memory_rules_finish(struct memory_rules *rules) {
    mem_free(rules->mem, rules->own);
    mem_free(rules->mem, rules->ages);
}

const struct topic_limits *memory_rules_of(struct memory_rules *rules,
                                           const struct topic_name *name) {
    if (rules->limits.rule_count == 0) {
        return &rules->limits.topic;
    }
    size_t place = name->hash % RULES_KNOWN;
    // Two names with one hash of 64 bits do not happen to anyone who does not know the key.
    if (!rules->known[place].limits || rules->known[place].hash != name->hash) {
        rules->known[place].hash = name->hash;
        rules->known[place].limits = history_limits_of(&rules->limits, name->text);
    }
    return rules->known[place].limits;
}
