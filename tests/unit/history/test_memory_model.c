// The history in memory beside the naive model.
#include "model_run.h"

#include "history/memory.h"

enum { STEPS = 8000 };

static const struct backend MEMORY = {.name = "memory", .create = history_memory_create};

static uint64_t cost(const struct frame *frame) {
    return frame_cost(frame);
}

static const struct model_kind KIND = {.backend = &MEMORY, .cost = cost, .charge = memory_charge};

static void run(uint64_t seed, const struct history_limits *limits) {
    model_run(&KIND, seed, limits, STEPS);
}

static void ample(void **state) {
    run(1, &AMPLE);
}

static void by_count(void **state) {
    run(2, &(struct history_limits){.topic.count = 50, .bytes = 1 << 30});
    run(3, &(struct history_limits){.topic.count = 1, .bytes = 1 << 30});
}

static void by_bytes(void **state) {
    run(4, &(struct history_limits){.topic.count = 1000, .topic.bytes = 6000, .bytes = 1 << 30});
}

static void by_budget(void **state) {
    run(5, &(struct history_limits){.topic.count = 1000, .bytes = 60000});
    run(6, &(struct history_limits){.topic.count = 1000, .bytes = 3000});
}

static void by_age(void **state) {
    run(7, &(struct history_limits){.topic.count = 1000, .bytes = 1 << 30, .topic.age_ms = 300});
}

static void by_everything(void **state) {
    for (uint64_t seed = 8; seed < 12; seed++) {
        run(seed,
            &(struct history_limits){
                .topic.count = 100, .topic.bytes = 15000, .bytes = 90000, .topic.age_ms = 600});
    }
}

// Counts, bytes and ages of their own, one topic that keeps nothing, and one that keeps for ever.
static void by_rules(void **state) {
    static const struct history_rule rules[] = {
        {.pattern = {"room/1", 6}, .limits = {.count = 1000}},
        {.pattern = {"room/*", 6}, .limits = {.count = 3, .age_ms = 900}},
        {.pattern = {"room/**", 7}, .limits = {.count = 1000, .bytes = 4000, .age_ms = 50}},
        {.pattern = {"b", 1}, .limits = {.count = 0}},
        {.pattern = {"room/1", 6}, .limits = {.count = 1}}, // never reached
        {.pattern = {"x/**", 4}, .limits = {.count = 20, .bytes = 900, .age_ms = INT64_MAX}},
    };
    for (uint64_t seed = 12; seed < 18; seed++) {
        run(seed, &(struct history_limits){.topic.count = 100,
                                           .topic.age_ms = 300,
                                           .rules = rules,
                                           .rule_count = sizeof(rules) / sizeof(rules[0]),
                                           .bytes = seed % 2 ? 1 << 30 : 50000});
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ample),     cmocka_unit_test(by_count), cmocka_unit_test(by_bytes),
        cmocka_unit_test(by_budget), cmocka_unit_test(by_age),   cmocka_unit_test(by_everything),
        cmocka_unit_test(by_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
