// Several HTTP inquiries at once on libcurl, looked at from close by: the whole head of each
// answer, the version it came in, and when each part came. It follows no redirect, repeats nothing
// and shares no connection between inquiries, so that each meets the path anew. Only http and
// https. What a peer sends is bounded by PROBE_HEAD_MAX and by whoever takes the body.
//
// One thread; create and destroy from the main thread, since libcurl's global state comes with
// them.
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { PROBE_HEAD_MAX = 64 * 1024, PROBE_REASON_MAX = 256 };

struct probe;
struct inquiry;

struct probe_request {
    const char *url;            // may hold credentials
    const char *method;         // GET, POST or OPTIONS
    const char *const *headers; // "Name: value", NULL at the end; NULL for none; copied
    struct bytes body;          // of a POST; borrowed until inquiry_end
    bool decode;                // accept every content coding there is, and undo it
    int64_t connect_timeout_ms;
    void (*on_body)(void *user_data, struct bytes bytes); // each piece as it comes; may be NULL
    void *user_data;
};

// What has come of an inquiry so far. Times are those of clock_mono_ms(), 0 until it happened.
struct probe_answer {
    long status;     // 0 until the head has come
    int version;     // 10, 11, 20 or 30
    struct buf head; // its fields, "Name: value" and a line feed each
    int64_t begun, head_at, ended_at;
    bool ended;
    bool broken;    // it ended otherwise than an answer does, see reason
    bool untrusted; // because of the peer's certificate
    char reason[PROBE_REASON_MAX];
};

// 0 or ERR_NOMEM. When stop_fd (-1 for none) is readable, probe_wait returns at once.
int probe_create(struct probe **out, const struct mem *mem, int stop_fd);

// Trusts the authorities in this file, in PEM, instead of the system's; the name is borrowed.
void probe_trust(struct probe *probe, const char *authorities);

// Every inquiry must have been ended.
void probe_destroy(struct probe *probe);

// Begins an inquiry: 0 or ERR_NOMEM. It makes progress in probe_wait.
int inquiry_begin(struct inquiry **out, struct probe *probe, const struct probe_request *request);

// Hangs up, frees, and makes *inquiry NULL; NULL is fine.
void inquiry_end(struct inquiry **inquiry);

const struct probe_answer *inquiry_answer(const struct inquiry *inquiry);

// Lets all inquiries go on until something has happened or `until` (clock_mono_ms) has come. False
// when stop_fd is readable; then there is no point in going on.
bool probe_wait(struct probe *probe, int64_t until);

// The value of a field of a head as inquiry_answer has it, the first of that name; empty when
// there is none.
struct bytes probe_field(struct bytes head, const char *name);

#endif
