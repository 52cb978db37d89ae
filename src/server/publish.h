// Publishing, for the forms in which a request can bring events: the data itself (publish_raw.c),
// JSON (publish_json.c), an event stream (publish_stream.c). This is what they share.
#ifndef SERVER_PUBLISH_H
#define SERVER_PUBLISH_H

#include "freshet/event.h"
#include "hub/frame.h"
#include "server/exchange.h"

enum { PUBLISH_ID_MAX = 256, PUBLISH_TYPE_MAX = 256, PUBLISH_GROUP = 256 };

// A form: how bodies become events. The exchange's state is a struct of the form's own.
struct publish_target {
    struct bytes topic; // from the path; .at NULL: none
    struct bytes type, id, event_key;
    int64_t retry;
    bool private;              // of each event
    struct bytes content_type; // lasts for the call of `begin`
    uint64_t key;              // a hash of the Idempotency-Key; 0: none
};

// Each begins an exchange that brings its events in this form: 0 or a negative error. What `target`
// points to lasts for the call.
int publish_raw_begin(struct exchange *exchange, const struct publish_target *target);
int publish_json_begin(struct exchange *exchange, const struct publish_target *target);
int publish_stream_begin(struct exchange *exchange, const struct publish_target *target);

extern const struct handler publish_raw_handler;
extern const struct handler publish_json_handler;
extern const struct handler publish_stream_handler;

// Checks what a publisher may say and makes the frame of it; `key` hashes the topics' names. 0,
// ERR_NOMEM, or ERR_INVALID with a sentence in *problem.
int publish_frame(const struct hash_key *key, const struct bytes *topics, size_t topic_count,
                  const struct freshet_event *event, struct frame **out, const char **problem);

// The same with a key of the event's (of no bytes: none).
int publish_keyed_frame(const struct hash_key *key, const struct bytes *topics, size_t topic_count,
                        const struct freshet_event *event, struct bytes event_key,
                        struct frame **out, const char **problem);

// What is wrong with an event's type, or NULL.
const char *publish_type_problem(struct freshet_text type);

// Reads the header Idempotency-Key. False when it was refused, and the exchange is answered.
bool publish_take_key(struct exchange *exchange, const struct http_request *req, uint64_t *key);

// Makes a repetition of this frame known. `number` is its place in the request. Each frame, before
// it is published.
void publish_identify(const struct worker *worker, struct frame *frame, uint64_t key,
                      uint64_t number);

// Why a frame that was handed in with a key has no id: a sentence for 422.
extern const char publish_key_problem[];

static inline bool publish_was_refused(const struct frame *frame) {
    return frame->id == 0;
}

// The id that subscribers see, in `out` (PUBLISH_ID_MAX bytes).
struct bytes publish_id(const struct frame *frame, char *out);

// Adds a piece of a body that is kept whole: 0, or the exchange was answered with 413 (then 0 as
// well), or ERR_NOMEM.
int publish_keep(struct exchange *exchange, struct buf *body, struct bytes piece);

// Refuses at once a body that says that it will be too long. True when it was refused.
bool publish_refuse_length(struct exchange *exchange, const struct http_request *req);

// Answers with {"id":…}, or 422 if the frame was refused.
void publish_answer_id(struct exchange *exchange, const struct frame *frame);

#endif
