// Whether a fake subscriber got what it must have: byte for byte the events of its selection, in
// order, each once, and nothing left out unless a gap event stands in its place.
#ifndef TESTS_HUB_VERIFY_H
#define TESTS_HUB_VERIFY_H

#include "hub/fake.h"

struct verdict {
    size_t events, gaps, caught_up, heartbeats;
    size_t skipped; // events that a gap stands for
    size_t missing; // events after the last byte, for which nothing stands (yet)
    bool cut;       // the last bytes are a part of something
};

// Fails the test when something is wrong with what it got so far.
struct verdict verify(const struct fake_sub *sub);

// Also that nothing is missing: for a subscriber that has been given all room and turns.
struct verdict verify_all(const struct fake_sub *sub);

#endif
