// Thousands of random steps, seeded: listeners come and go with random selections, cursors and
// encodings and change what they hear, publishers publish, sockets fill up and drain, the window and the past move on. After
// each round what every listener holds is measured against everything that was published.
// FRESHET_SEED runs one seed again, FRESHET_ROUNDS more of them.
#include "hub/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

enum { SUBS = 24, STEPS = 3000, TOPICS = 8 };

static struct fake_hub fake;
static struct fake_sub subs[SUBS];
static struct random dice;
static size_t seen_events, seen_gaps, seen_skipped, seen_cuts;
static size_t changes[SUBSCRIBER_PUT_OFF + 1]; // by the state in which they came

static const char *const topics[TOPICS] = {"a",   "a/b",  "a/b/c", "b",
                                           "b/c", "c//d", "c",     "d/\xc3\xa9"};
static const char *const patterns[] = {"*", "**", "a/*", "a/**", "*/c", "*/*/c", "c/**"};

static int64_t roll(int64_t low, int64_t high) {
    return random_between(&dice, low, high);
}

static const char *any_topic(void) {
    return topics[roll(0, TOPICS - 1)];
}

static void random_names(char *out, size_t cap, bool with_patterns) {
    size_t len = 0;
    int64_t count = roll(1, 3);
    for (int64_t i = 0; i < count; i++) {
        bool pattern = with_patterns && roll(0, 3) == 0;
        const char *name = pattern ? patterns[roll(0, 6)] : any_topic();
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? " " : "", name);
    }
}

static void check(struct fake_sub *sub, bool whole) {
    struct verdict verdict = whole && sub->s.feed ? verify_all(sub) : verify(sub);
    seen_events += verdict.events;
    seen_gaps += verdict.gaps;
    seen_skipped += verdict.skipped;
    seen_cuts += verdict.cut;
    assert_true(verdict.caught_up <= 1);
}

static void leave(struct fake_sub *sub) {
    if (sub->selection) {
        check(sub, false);
    }
    fake_sub_finish(sub);
    fake_sub_init(sub, &fake);
}

static void join(struct fake_sub *sub) {
    char names[128];
    struct hub_start start = {.after = fake.hub.heard};
    random_names(names, sizeof(names), true);
    if (roll(0, 2) == 0) {
        start.after = (event_id)roll(900, (int64_t)fake.hub.heard + 2);
    }
    start.flags = roll(0, 1) ? SUBSCRIBER_TELL : 0;
    start.flags |= roll(0, 9) == 0 ? SUBSCRIBER_ONCE : 0;
    enum encoding encoding = (enum encoding)roll(0, ENCODING_COUNT - 1);
    sub->gzip = gzip_available() && encoding <= ENCODING_ITEMS && roll(0, 2) == 0;
    assert_int_equal(fake_join_at(sub, names, encoding, &start), 0);
}

static void publish(void) {
    char names[128], data[64];
    random_names(names, sizeof(names), false);
    snprintf(data, sizeof(data), "%llu%s%.*s", (unsigned long long)fake.newest,
             roll(0, 4) ? "" : "\n\"x\"", (int)roll(0, 40),
             "0123456789012345678901234567890123456789");
    fake_publish(&fake, names, data);
}

static void change(struct fake_sub *sub) {
    char drop[128], add[128];
    if (sub->phase_count == FAKE_PHASES_MAX) {
        return;
    }
    random_names(drop, sizeof(drop), true);
    random_names(add, sizeof(add), true);
    changes[sub->s.state]++;
    assert_int_equal(fake_change(sub, drop, roll(0, 3) ? add : ""), 0);
}

static void step_subscriber(struct fake_sub *sub) {
    switch (roll(0, 7)) {
    case 0:
        leave(sub);
        break;
    case 1:
    case 2:
        sub->per_send = roll(0, 3) ? (size_t)roll(0, 200) : SIZE_MAX;
        break;
    case 3:
        hub_heartbeat(&sub->s);
        break;
    case 4:
        sub->vanish = roll(0, 9) == 0;
        break;
    case 5:
        change(sub);
        break;
    default:
        hub_writable(&sub->s);
        break;
    }
}

// Frames that reached the past but never this hub.
static void lose_some(void) {
    for (int64_t i = roll(1, 4); i > 0; i--) {
        struct frame *frame = fake_frame(&fake, any_topic(), "unheard");
        frame_seal(frame, ++fake.newest);
        fake_past_append(&fake.past, frame);
        frame_unref(frame);
    }
    hub_lose(&fake.hub, fake.newest);
}

static void step_hub(void) {
    struct fake_past *past = &fake.past;
    switch (roll(0, 40)) {
    case 0:
        past->dropped += (size_t)roll(0, (int64_t)(past->count - past->dropped));
        break;
    case 1:
        past->most = (size_t)roll(0, 3);
        past->look_at = (size_t)roll(0, 3);
        break;
    case 2:
        past->refuse = (unsigned)roll(0, 3);
        break;
    case 3:
        lose_some();
        break;
    default:
        hub_flush(&fake.hub, (unsigned)roll(1, 30));
        break;
    }
}

static void step(void) {
    struct fake_sub *sub = &subs[roll(0, SUBS - 1)];
    int64_t what = roll(0, 9);
    if (what < 4) {
        publish();
    } else if (what < 6) {
        step_hub();
    } else if (sub->s.feed) {
        step_subscriber(sub);
    } else {
        leave(sub);
        join(sub);
    }
    assert_true(fake.hub.window_held <= fake.settings.window_bytes);
}

static void settle_all(void) {
    for (int i = 0; i < SUBS; i++) {
        subs[i].per_send = SIZE_MAX;
        subs[i].vanish = false;
        hub_writable(&subs[i].s);
    }
    fake_flush(&fake);
    for (int i = 0; i < SUBS; i++) {
        if (subs[i].selection) {
            check(&subs[i], true);
        }
    }
}

static void play(uint64_t seed) {
    dice.state = seed;
    fake_hub_init(&fake);
    fake.settings.window_bytes = (size_t)roll(0, 8000);
    fake.settings.run_bytes = (size_t)roll(1, 2000);
    fake.settings.idle_topics = (size_t)roll(0, 4);
    fake_hub_open(&fake);
    for (int i = 0; i < SUBS; i++) {
        fake_sub_init(&subs[i], &fake);
    }
    for (int i = 0; i < STEPS; i++) {
        step();
        if (i % 500 == 499) {
            settle_all();
        }
    }
    for (int i = 0; i < SUBS; i++) {
        leave(&subs[i]);
        fake_sub_finish(&subs[i]);
    }
    fake_hub_finish(&fake);
}

static void test_model(void **state) {
    const char *seed = getenv("FRESHET_SEED"), *rounds = getenv("FRESHET_ROUNDS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t count = seed ? 1 : rounds ? strtoull(rounds, NULL, 10) : 20;
    for (uint64_t i = first; i < first + count; i++) {
        print_message("seed %llu\n", (unsigned long long)i);
        play(i);
    }
    print_message("%zu events, %zu gaps for %zu events, %zu cut\n", seen_events, seen_gaps,
                  seen_skipped, seen_cuts);
    assert_true(seen_events && seen_gaps && seen_skipped && seen_cuts);
    print_message("changes: %zu live, %zu stalled, %zu behind, %zu put off\n",
                  changes[SUBSCRIBER_LIVE], changes[SUBSCRIBER_STALLED], changes[SUBSCRIBER_BEHIND],
                  changes[SUBSCRIBER_PUT_OFF]);
    for (int i = SUBSCRIBER_LIVE; i <= SUBSCRIBER_PUT_OFF; i++) {
        assert_true(changes[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
