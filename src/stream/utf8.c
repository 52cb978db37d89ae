// UTF-8: well-formed sequences as in table 3-7 of the Unicode standard, which is the only thing
// here that knows what they look like. ASCII, nearly all of most streams, is passed over in blocks;
// all other text goes through an automaton that takes a byte without a branch, so that it is as
// fast on a mixture of scripts as on one.
#include "stream/utf8.h"

#include <stdbool.h>

// The states, each the place of six bits in a row: how many bytes the sequence still wants, or,
// after a lead byte that restricts the next one, that lead byte. A row of the table belongs to a
// byte and holds, at the place of each state, the state that follows. What a row leaves out leads
// to BAD.
#define BAD UINT64_C(0)
#define OK  UINT64_C(6)
#define T1  UINT64_C(12)
#define T2  UINT64_C(18)
#define T3  UINT64_C(24)
#define E0  UINT64_C(30)
#define ED  UINT64_C(36)
#define F0  UINT64_C(42)
#define F4  UINT64_C(48)

#define LEAD(state) ((state) << OK)
#define TAIL        (OK << T1 | T1 << T2 | T2 << T3)
#define TAIL_80     (TAIL | T1 << ED | T2 << F4)
#define TAIL_90     (TAIL | T1 << ED | T2 << F0)
#define TAIL_A0     (TAIL | T1 << E0 | T2 << F0)

#define FOUR(row)    row, row, row, row
#define SIXTEEN(row) FOUR(row), FOUR(row), FOUR(row), FOUR(row)

static const uint64_t rows[256] = {
    SIXTEEN(LEAD(OK)), // 00
    SIXTEEN(LEAD(OK)), // 10
    SIXTEEN(LEAD(OK)), // 20
    SIXTEEN(LEAD(OK)), // 30
    SIXTEEN(LEAD(OK)), // 40
    SIXTEEN(LEAD(OK)), // 50
    SIXTEEN(LEAD(OK)), // 60
    SIXTEEN(LEAD(OK)), // 70
    SIXTEEN(TAIL_80),  // 80
    SIXTEEN(TAIL_90),  // 90
    SIXTEEN(TAIL_A0),  // A0
    SIXTEEN(TAIL_A0),  // B0

    // C0
    BAD, BAD, LEAD(T1), LEAD(T1), FOUR(LEAD(T1)), FOUR(LEAD(T1)), FOUR(LEAD(T1)),
    // D0
    SIXTEEN(LEAD(T1)),
    // E0
    LEAD(E0), LEAD(T2), LEAD(T2), LEAD(T2), FOUR(LEAD(T2)), FOUR(LEAD(T2)), // E0 to EB
    LEAD(T2), LEAD(ED), LEAD(T2), LEAD(T2),                                 // EC to EF
    // F0
    LEAD(F0), LEAD(T3), LEAD(T3), LEAD(T3), LEAD(F4), BAD, BAD, BAD, FOUR(BAD), FOUR(BAD)};

enum { WORD = 8, BLOCK = 32 };

// What comes back has other states above the six bits that count. They stay until somebody asks: a
// shift ignores them for nothing, and clearing them here would double the time of a step.
static inline uint64_t step(uint64_t state, char byte) {
    return rows[(unsigned char)byte] >> (state & 63);
}

static inline bool is(uint64_t state, uint64_t wanted) {
    return (state & 63) == wanted;
}

static inline uint64_t load(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline bool ascii_word(const char *at) {
    return (load(at) & UINT64_C(0x8080808080808080)) == 0;
}

static inline bool ascii_block(const char *at) {
    uint64_t all = load(at) | load(at + 8) | load(at + 16) | load(at + 24);
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

// The length of the sequence at the start of `text`, or, when it is malformed, of its maximal
// subpart: the bytes that one U+FFFD stands for.
static size_t sequence(struct freshet_text text, bool *valid) {
    uint64_t state = OK;
    *valid = false;
    for (size_t len = 0; len < text.len; len++) {
        state = step(state, text.at[len]);
        if (is(state, BAD)) {
            return len ? len : 1;
        }
        if (is(state, OK)) {
            *valid = true;
            return len + 1;
        }
    }
    return text.len;
}

static inline struct freshet_text text_from(struct freshet_text text, size_t offset) {
    return (struct freshet_text){text.at + offset, text.len - offset};
}

// The offset of the malformed sequence that the automaton ran into after `offset`, up to where all
// was well or a sequence was open.
static size_t locate(struct freshet_text text, size_t offset) {
    bool valid = true;
    // Back to a lead byte that is well before the fault or its beginning.
    while (offset > 0 && (text.at[--offset] & 0xC0) == 0x80) {
    }
    while (offset < text.len) {
        size_t len = sequence(text_from(text, offset), &valid);
        if (!valid) {
            break;
        }
        offset += len;
    }
    return offset;
}

size_t freshet_utf8_check(struct freshet_text text) {
    uint64_t state = OK;
    size_t at = 0;
    for (; text.len - at >= BLOCK; at += BLOCK) {
        if (is(state, OK) && ascii_block(text.at + at)) {
            continue;
        }
        for (size_t i = 0; i < BLOCK; i++) {
            state = step(state, text.at[at + i]);
        }
        if (is(state, BAD)) {
            return locate(text, at);
        }
    }
    size_t tail = at;
    while (is(state, OK) && text.len - at >= WORD && ascii_word(text.at + at)) {
        at += WORD;
    }
    // What is left is less than a word, and may be looked at as the end of one.
    if (is(state, OK) && text.len - at < WORD && text.len >= WORD &&
        ascii_word(text.at + text.len - WORD)) {
        return text.len;
    }
    for (; at < text.len; at++) {
        state = step(state, text.at[at]);
    }
    return is(state, OK) ? text.len : locate(text, tail);
}

int freshet_utf8_append(struct space *space, struct freshet_text text, size_t valid) {
    int rc = space_append(space, text.at, valid);
    while (rc == 0 && valid < text.len) {
        bool ignored;
        text = text_from(text, valid);
        text = text_from(text, sequence(text, &ignored));
        valid = freshet_utf8_check(text);
        rc = space_append(space, "\xEF\xBF\xBD", 3);
        if (rc == 0) {
            rc = space_append(space, text.at, valid);
        }
    }
    return rc;
}
