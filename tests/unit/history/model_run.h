// A history of any kind beside the naive model.
#ifndef TESTS_HISTORY_MODEL_RUN_H
#define TESTS_HISTORY_MODEL_RUN_H

#include "model.h"

struct model_kind {
    const struct backend *backend;
    uint64_t (*cost)(const struct frame *frame);   // what a topic's bytes count
    uint64_t (*charge)(const struct frame *frame); // what the budget is charged with
};

// Random operations, which follow from the seed; each answer is the model's.
void model_run(const struct model_kind *kind, uint64_t seed, const struct history_limits *limits,
               int steps);

#endif
