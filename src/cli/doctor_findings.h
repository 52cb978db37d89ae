// What the doctor has to say: a list of findings, in the order in which they were made, as text for
// people or JSON for scripts. The name of a check stays what it is, because scripts ask for it.
// One thread. A list that runs out of memory or room remembers that, and drops what follows.
#ifndef CLI_DOCTOR_FINDINGS_H
#define CLI_DOCTOR_FINDINGS_H

#include "base/buf.h"

enum finding_level {
    FINDING_OK,
    FINDING_SKIP, // it was not tested, and the text says why
    FINDING_WARN, // it may hurt
    FINDING_FAIL, // it hurts
};

enum { FINDINGS_MAX = 64, FINDING_TEXT_MAX = 1024 };

struct finding {
    enum finding_level level;
    const char *check; // static: lower case with hyphens
    char *text;        // what was found and what it means; sentences
    char *advice;      // what to do; empty when there is nothing to do
};

struct findings {
    const struct mem *mem;
    struct finding items[FINDINGS_MAX];
    size_t count;
    bool incomplete;
};

void findings_init(struct findings *findings, const struct mem *mem);
void findings_finish(struct findings *findings);

// Adds one; its text is formatted, cut at FINDING_TEXT_MAX, and has no advice yet.
void findings_add(struct findings *findings, enum finding_level level, const char *check,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

// Adds a sentence to the advice of the newest finding.
void findings_advise(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The worst level there is, where FINDING_SKIP is as good as FINDING_OK; that for an empty list.
enum finding_level findings_worst(const struct findings *findings);

// The finding of a check, the first of that name; NULL when there is none.
const struct finding *findings_get(const struct findings *findings, const char *check);

// "FAIL  buffering  text" and its advice below, from the item `from` on; a terminal cannot be
// steered by it. 0, ERR_NOMEM or ERR_TOO_LARGE.
int findings_text(const struct findings *findings, size_t from, struct buf *out);

// One JSON object and a line feed. As above.
int findings_json(const struct findings *findings, struct buf *out);

#endif
