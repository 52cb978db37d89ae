// Walks the recorded bytes beside everything that was ever published. At each place the bytes must
// begin with the next event; or with something that the hub itself says; or, after a gap, with a
// later event.
#include "hub/verify.h"

#include <stdio.h>

struct walk {
    const struct fake_sub *sub;
    struct bytes rest;
    size_t place; // among what the past remembers
    bool after_gap;
    struct verdict verdict;
};

static const char *const own_starts[ENCODING_COUNT][3] = {
    [ENCODING_EVENT_STREAM] = {"event: freshet.gap\n", "event: freshet.caught-up\n", ":\n"},
    [ENCODING_NDJSON] = {"{\"event\":\"freshet.gap\"", "{\"event\":\"freshet.caught-up\"", "\n"},
    [ENCODING_ITEMS] = {",{\"event\":\"freshet.gap\"", ",{\"event\":\"freshet.caught-up\"", "~"},
};
static const char *const own_ends[ENCODING_COUNT] = {"\n\n", "}\"}\n", "}\"}"};

// What it heard when it stood before this id.
static const struct selection *selection_at(const struct fake_sub *sub, event_id id) {
    for (size_t i = 0; i < sub->phase_count; i++) {
        if (id <= sub->phases[i].upto) {
            return sub->phases[i].selection;
        }
    }
    return sub->selection;
}

static struct frame *next_wanted(struct walk *walk) {
    const struct fake_past *past = &walk->sub->fake->past;
    for (; walk->place < past->count; walk->place++) {
        struct frame *frame = past->frames[walk->place];
        if (frame->id > walk->sub->after &&
            selection_hears(selection_at(walk->sub, frame->id), frame)) {
            return frame;
        }
    }
    return NULL;
}

// A gap may stand only for what was really lost, or what a jump left out.
static bool may_skip(const struct walk *walk) {
    const struct fake_hub *fake = walk->sub->fake;
    bool jumps = fake->settings.lag.action != LAG_GAP;
    return walk->after_gap && (walk->place < fake->past.dropped || !fake->settings.past || jumps);
}

static void advance(struct walk *walk, size_t len) {
    walk->rest = bytes_make(walk->rest.at + len, walk->rest.len - len);
}

// Whether the bytes begin with it, or are the beginning of it.
static bool begins(struct walk *walk, struct bytes what) {
    size_t len = what.len < walk->rest.len ? what.len : walk->rest.len;
    if (memcmp(walk->rest.at, what.at, len) != 0) {
        return false;
    }
    walk->verdict.cut = len < what.len;
    return true;
}

static bool take_event(struct walk *walk, const struct frame *frame) {
    struct buf bytes;
    buf_init(&bytes, &mem_libc, 0);
    assert_int_equal(encoding_append(walk->sub->encoding, frame, &bytes), 0);
    bool fits = begins(walk, buf_bytes(&bytes));
    if (fits && !walk->verdict.cut) {
        advance(walk, bytes.len);
        walk->verdict.events++;
        walk->after_gap = false;
    }
    buf_finish(&bytes);
    return fits;
}

static bool take_next_event(struct walk *walk) {
    struct frame *frame = next_wanted(walk);
    while (frame && !take_event(walk, frame)) {
        if (!may_skip(walk)) {
            return false;
        }
        walk->place++;
        walk->verdict.skipped++;
        frame = next_wanted(walk);
    }
    walk->place += frame && !walk->verdict.cut;
    return frame != NULL;
}

static void take_own(struct walk *walk, int kind) {
    const char *end = own_ends[walk->sub->encoding];
    size_t *counts[] = {&walk->verdict.gaps, &walk->verdict.caught_up, &walk->verdict.heartbeats};
    size_t len = strlen(own_starts[walk->sub->encoding][kind]);
    if (kind < 2) {
        const char *at = memmem(walk->rest.at, walk->rest.len, end, strlen(end));
        walk->verdict.cut = !at;
        len = at ? (size_t)(at - walk->rest.at) + strlen(end) : 0;
    }
    if (!walk->verdict.cut) {
        advance(walk, len);
        *counts[kind] += 1;
        walk->after_gap |= kind == 0;
    }
}

// The same words as WebSocket frames, of which the head tells where they end.
static bool take_own_frame(struct walk *walk) {
    static const char *const words[2][2] = {
        {"{\"event\":\"freshet.gap\"", "event: freshet.gap\n"},
        {"{\"event\":\"freshet.caught", "event: freshet.caught"}};
    const char *at = walk->rest.at;
    size_t len = walk->rest.len, size = len > 1 ? (unsigned char)at[1] : 0;
    bool stream = walk->sub->encoding == ENCODING_WS_STREAM;
    if (*at == '\x89') {
        walk->verdict.cut = len < 2;
        walk->verdict.heartbeats += len >= 2;
        advance(walk, walk->verdict.cut ? 0 : 2);
        return true;
    }
    for (int kind = 0; kind < 2 && len > 2 && size <= WS_CONTROL_MAX; kind++) {
        size_t known = strlen(words[kind][stream]), have = len - 2;
        if (memcmp(at + 2, words[kind][stream], have < known ? have : known) == 0) {
            bool cut = have < size;
            walk->verdict.cut = cut;
            *(kind == 0 ? &walk->verdict.gaps : &walk->verdict.caught_up) += !cut;
            walk->after_gap |= kind == 0 && !cut;
            advance(walk, cut ? 0 : 2 + size);
            return true;
        }
    }
    walk->verdict.cut = len <= 2 && !next_wanted(walk);
    return walk->verdict.cut;
}

static bool take_own_words(struct walk *walk) {
    if (encoding_is_ws(walk->sub->encoding)) {
        return take_own_frame(walk);
    }
    for (int kind = 0; kind < 3; kind++) {
        if (begins(walk, bytes_of(own_starts[walk->sub->encoding][kind]))) {
            if (!walk->verdict.cut) {
                take_own(walk, kind);
            }
            return true;
        }
    }
    return false;
}

static void count_rest(struct walk *walk) {
    while (next_wanted(walk)) {
        *(may_skip(walk) ? &walk->verdict.skipped : &walk->verdict.missing) += 1;
        walk->place++;
    }
}

struct verdict verify(const struct fake_sub *sub) {
    struct walk walk = {.sub = sub, .rest = buf_bytes(&sub->got)};
    assert_false(sub->light);
    while (walk.rest.len && !walk.verdict.cut) {
        if (!take_own_words(&walk) && !take_next_event(&walk)) {
            fail_msg("unexpected after %zu events: %.*s", walk.verdict.events,
                     (int)(walk.rest.len < 200 ? walk.rest.len : 200), walk.rest.at);
        }
    }
    count_rest(&walk);
    return walk.verdict;
}

struct verdict verify_all(const struct fake_sub *sub) {
    struct verdict verdict = verify(sub);
    assert_false(verdict.cut);
    assert_int_equal(verdict.missing, 0);
    return verdict;
}
