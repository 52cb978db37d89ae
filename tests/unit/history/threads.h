// A history of any kind under threads.
#ifndef TESTS_HISTORY_THREADS_H
#define TESTS_HISTORY_THREADS_H

#include "past.h"

// Returns the number of failed tests.
int threads_run(const struct backend *backend);

#endif
