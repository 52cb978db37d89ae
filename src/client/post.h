// Publishing: a POST that is repeated while that can help, and an upload that is sent as it comes
// and therefore once. Every POST carries an Idempotency-Key that its repetitions share, so that a
// publish whose answer was lost is not published twice. No redirects: a moved server is an error.
//
// One thread: the calls block and call back from within.
#ifndef CLIENT_POST_H
#define CLIENT_POST_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/mem.h"

struct post;

struct post_settings {
    const struct mem *mem;
    const char *url;            // copied; may hold credentials
    const char *content_type;   // borrowed until post_close
    const char *const *headers; // "Name: value", NULL at the end; borrowed until post_close
    unsigned attempts;          // at least 1
    int64_t connect_timeout_ms;
    int64_t answer_timeout_ms; // without a byte, once the body is sent
    int64_t patience_ms;       // no attempt begins later than this after the first one
    int stop_fd;               // readable: give up at once; -1 for none
    void (*on_note)(void *user_data, const char *sentence); // before a repetition; may be NULL
    void (*on_upload)(void *user_data, size_t len);         // so many more bytes; may be NULL
    void *user_data;
};

// 4 attempts within 30 s, 10 s to connect, 30 s for the answer.
void post_settings_default(struct post_settings *settings);

// 0; ERR_INVALID for a URL that is not http or https; ERR_NOMEM. *out is NULL then.
int post_open(struct post **out, const struct post_settings *settings);

// Sends the body: 0 when the server answered 2xx; ERR_GONE when it could not be reached or refused,
// or the end was asked for; ERR_NOMEM. See post_reason and post_answer.
int post_send(struct post *post, struct bytes body);

// Sends what can be read from the descriptor until its end, as it comes, chunked. As post_send, but
// never repeated.
int post_upload(struct post *post, int fd);

// The body of the last answer, at most 16 MiB of it. Until the next call.
struct bytes post_answer(const struct post *post);

// Why the last call failed: a sentence without a capital or a full stop.
const char *post_reason(const struct post *post);

void post_close(struct post **post);

#endif
