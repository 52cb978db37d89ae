// Where the backend of --auth-url is asked, by a thread of its own. Whoever asks what somebody asks
// already, to the byte, waits for the same answer; and an answer that says how long it may be kept
// answers the same question until then. Any thread may ask; none is ever blocked by the backend.
#ifndef SERVER_AUTH_DESK_H
#define SERVER_AUTH_DESK_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/verdict.h"
#include "base/list.h"

enum { AUTH_ANSWER_MAX = 16 * 1024 };

struct auth_desk;

struct auth_desk_settings {
    const char *url;
    int64_t timeout_ms; // from the first who asks it to the answer, also while it stands in line
    size_t under_way;   // questions at the backend at a time
    size_t waiting;     // who wait for an answer, at a time
    size_t kept;        // answers
    int64_t leeway_ms;  // as verdict_question
};

// A question as the backend gets it. It owns its memory.
struct auth_text {
    struct buf headers; // "Name: value" and a NUL each
    struct buf body;    // JSON
    struct grants names;
    struct buf subject;
};

// Whoever waits embeds it and fills in `text` and `answered`. Until it is answered or has left, it is
// the desk's.
struct auth_question {
    struct list link;
    struct auth_text text;
    // On any thread, within a lock of the desk's: only posts. The verdict lasts for the call.
    void (*answered)(struct auth_question *question, const struct verdict *verdict);
};

struct auth_desk_counters {
    unsigned long long asked;       // questions to the backend
    unsigned long long failed;      // of them, without an answer that could be understood
    unsigned long long shared;      // who waited for the answer to another one's question
    unsigned long long kept;        // who got an answer that was kept
    unsigned long long turned_away; // who could not wait, because too many do
    size_t waiting;
};

void auth_text_init(struct auth_text *text);
void auth_text_finish(struct auth_text *text);

// Whether anybody can be asked: not in a build without libcurl.
bool auth_desk_possible(void);

// The main thread: 0, ERR_NOMEM, or ERR_SYSTEM (no thread, or it is not possible).
int auth_desk_open(struct auth_desk **out, const struct auth_desk_settings *settings);

// Nobody waits any more. NULLs the pointer; what is under way is given up.
void auth_desk_close(struct auth_desk **desk);

// Asks: 0, and `answered` is called once, perhaps within the call; or ERR_NOMEM, or ERR_TOO_LARGE when
// too many wait.
int auth_desk_ask(struct auth_desk *desk, struct auth_question *question);

// Whoever asked has gone. True: it is not answered any more; false: it has been.
bool auth_desk_leave(struct auth_desk *desk, struct auth_question *question);

// Keeps none of the answers that there are.
void auth_desk_forget(struct auth_desk *desk);

void auth_desk_count(struct auth_desk *desk, struct auth_desk_counters *out);

#endif
