// The way from a listener to the server: what was seen on it (doctor_examine.h fills that in), and
// a judgement on that, which is pure.
#ifndef CLI_DOCTOR_PATH_H
#define CLI_DOCTOR_PATH_H

#include "cli/doctor_findings.h"

enum { DOCTOR_REASON_MAX = 256 };

enum doctor_answer { DOCTOR_UNKNOWN, DOCTOR_YES, DOCTOR_NO };

// What a second listener of the same URL met.
enum doctor_second {
    SECOND_UNKNOWN,
    SECOND_FINE,
    SECOND_HELD_BACK, // no head while the first one listened
    SECOND_STALE,     // events from before it came, for which it had not asked
    SECOND_MISSED,    // not the event that was published then, or its stream ended
    SECOND_REFUSED,
};

struct doctor_path {
    bool https;
    // The first listener.
    bool reached;   // somebody answered, or kept the connection open
    bool untrusted; // somebody did, with a certificate that is not trusted
    char reason[DOCTOR_REASON_MAX];
    long status;                               // 0: no head
    int version;                               // as in probe_answer
    struct buf head;                           // its fields; owned
    int64_t waited_ms, head_ms, first_byte_ms; // -1: it never came
    bool garbled;

    // Publishing.
    bool published; // at least once
    long publish_status;
    char publish_reason[DOCTOR_REASON_MAX]; // why nothing was published

    // Events published one by one, each after the one before had come.
    unsigned sent, came;
    int64_t late_ms;          // the longest time between the answer to a publish and its event
    bool pushed;              // one came only after more had been published
    uint64_t pushed_bytes;    // how much
    bool nothing;             // it did not come even then
    enum doctor_answer plain; // without any content coding, an event comes at once
    enum doctor_second second;
    long second_status;
    enum doctor_answer resumes, resumes_by_query;

    // A page of another origin; status 0: not tested.
    char origin[DOCTOR_REASON_MAX];
    bool origin_chosen; // the user has such a page
    long origin_status, preflight_status;
    enum doctor_answer origin_allowed, preflight_allowed;

    // The first listener, left alone.
    int64_t watched_ms; // 0: not tested
    bool cut;           // its stream ended, then or before
    char cut_reason[DOCTOR_REASON_MAX];
    int64_t silence_ms, lived_ms; // then: since the last byte, and since it began
    uint64_t heartbeats;
    enum doctor_answer after_idle; // an event after that time came
};

void doctor_path_init(struct doctor_path *path, const struct mem *mem);
void doctor_path_finish(struct doctor_path *path);

void doctor_path_judge(const struct doctor_path *path, struct findings *findings);

// Whether there was anything to judge: somebody answered.
bool doctor_path_tested(const struct doctor_path *path);

#endif
