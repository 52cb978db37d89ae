// Splits bytes into lines at CR, LF and CRLF, and at nothing else. Splitting before decoding is
// safe: none of these bytes occurs inside a UTF-8 sequence.
//
// The next CR and the next LF are each remembered until the walk has passed them, so a run of bytes
// is searched once for each however many lines are in it, also where one of the two never comes.
#ifndef STREAM_LINES_H
#define STREAM_LINES_H

#include <stdbool.h>
#include <string.h>

#include <freshet/event.h>

struct lines {
    const char *at, *end; // what is left
    const char *cr, *lf;  // the first of each that is not before `at`, or `end`
};

static inline const char *lines_find(const char *at, const char *end, char c) {
    // Every event ends in an empty line: not worth a call.
    if (at < end && *at == c) {
        return at;
    }
    const char *found = memchr(at, c, (size_t)(end - at));
    return found ? found : end;
}

// `at` is not NULL.
static inline void lines_init(struct lines *lines, const char *at, const char *end) {
    *lines = (struct lines){.at = at, .end = end, .cr = at, .lf = at};
    lines->cr = lines_find(at, end, '\r');
    lines->lf = lines_find(at, end, '\n');
}

// The next line, without its end, which is passed over; false when what is left has no end in it.
static inline bool lines_next(struct lines *lines, struct freshet_text *line) {
    const char *eol = lines->cr < lines->lf ? lines->cr : lines->lf;
    if (eol == lines->end) {
        return false;
    }
    *line = (struct freshet_text){.at = lines->at, .len = (size_t)(eol - lines->at)};
    bool crlf = *eol == '\r' && eol + 1 < lines->end && eol[1] == '\n';
    lines->at = eol + 1 + crlf;
    if (lines->cr < lines->at) {
        lines->cr = lines_find(lines->at, lines->end, '\r');
    }
    if (lines->lf < lines->at) {
        lines->lf = lines_find(lines->at, lines->end, '\n');
    }
    return true;
}

#endif
