// What every history must do, whatever it is made of. A backend's own test runs this first.
#ifndef TESTS_HISTORY_CONFORMANCE_H
#define TESTS_HISTORY_CONFORMANCE_H

#include "past.h"

// The number of tests that failed.
int conformance_run(const struct backend *backend);

#endif
