// The history on disk beside the naive model. Its budget is that of a file and has tests of its own;
// each answer waits for the disk, so there are fewer.
#include "disk_place.h"
#include "model_run.h"

#include "hub/frame_record.h"

enum { STEPS = 2500 };

static uint64_t cost(const struct frame *frame) {
    return frame_record_size(frame);
}

static const struct model_kind KIND = {.backend = &DISK, .cost = cost, .charge = cost};

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

static void by_age(void **state) {
    run(7, &(struct history_limits){.topic.count = 1000, .bytes = 1 << 30, .topic.age_ms = 300});
}

static void by_everything(void **state) {
    run(8, &(struct history_limits){
               .topic.count = 100, .topic.bytes = 15000, .bytes = 1 << 30, .topic.age_ms = 600});
}

static void by_rules(void **state) {
    static const struct history_rule rules[] = {
        {.pattern = {"room/1", 6}, .limits = {.count = 1000}},
        {.pattern = {"room/*", 6}, .limits = {.count = 3, .age_ms = 900}},
        {.pattern = {"room/**", 7}, .limits = {.count = 1000, .bytes = 4000, .age_ms = 50}},
        {.pattern = {"b", 1}, .limits = {.count = 0}},
        {.pattern = {"x/**", 4}, .limits = {.count = 20, .bytes = 900, .age_ms = INT64_MAX}},
    };
    run(9, &(struct history_limits){.topic.count = 100,
                                    .topic.age_ms = 300,
                                    .rules = rules,
                                    .rule_count = sizeof(rules) / sizeof(rules[0]),
                                    .bytes = 1 << 30});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ample),  cmocka_unit_test(by_count),      cmocka_unit_test(by_bytes),
        cmocka_unit_test(by_age), cmocka_unit_test(by_everything), cmocka_unit_test(by_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
