// What an event is: the values that the parser hands out and the writer takes, the errors that both
// return, and the check that text is UTF-8. Nothing here owns memory; every function may be called
// from any thread.
#ifndef FRESHET_EVENT_H
#define FRESHET_EVENT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FRESHET_API __attribute__((visibility("default")))
#else
#define FRESHET_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum freshet_error {
    FRESHET_ERR_NOMEM = -1,     // an allocation failed
    FRESHET_ERR_INVALID = -2,   // an argument breaks the rules that its header states
    FRESHET_ERR_TOO_LARGE = -3, // a limit of the settings was hit
    FRESHET_ERR_STOPPED = -4,   // a callback asked for the end
};

// A sentence without a full stop, never NULL. Static.
FRESHET_API const char *freshet_strerror(int error);

// Borrowed bytes, not terminated: whoever made the value says how long they last.
struct freshet_text {
    const char *at; // NULL when the thing is absent, which is not the same as empty
    size_t len;
};

enum freshet_event_flag {
    // Set by the parser: the id came with this very event and is not inherited from one before.
    FRESHET_EVENT_OWN_ID = 1u << 0,
};

struct freshet_event {
    struct freshet_text id;   // parsed: the last event ID, which outlives the event that set it
    struct freshet_text type; // empty means "message"
    struct freshet_text data; // lines joined by LF
    int64_t retry;            // milliseconds; -1 when absent
    unsigned flags;           // of enum freshet_event_flag
};

// An event with nothing in it, to be filled in by name.
// clang-format off
#define FRESHET_EVENT_INIT {{NULL, 0}, {NULL, 0}, {NULL, 0}, -1, 0}
// clang-format on

// Where memory comes from. `resize` is realloc(3) in one call: old NULL allocates, size 0 frees and
// returns NULL. A zeroed struct stands for the C library.
struct freshet_allocator {
    void *(*resize)(void *ctx, void *old, size_t size);
    void *ctx;
};

// The offset of the first byte that does not belong to well-formed UTF-8, the first byte of its
// sequence when that is cut short; text.len when all is well.
FRESHET_API size_t freshet_utf8_check(struct freshet_text text);

#ifdef __cplusplus
}
#endif

#endif
