// The parser of text/event-stream: bytes in, in pieces of any size; events out, as the WHATWG HTML
// standard (section 9.2) has them. The events do not depend on how the bytes were cut. It reads no
// socket, keeps no time and never waits: an event is delivered by the feed() that brings the last
// byte of its blank line, even where that byte is a CR whose LF may still follow.
//
// Memory is bounded by the limits below whatever the stream holds; comments and unknown fields cost
// nothing however long they are. The time for a stream is linear in its length however it is cut.
//
// A parser belongs to one thread at a time. The callbacks run inside feed() and may call nothing on
// their own parser but freshet_parser_last_id().
#ifndef FRESHET_PARSER_H
#define FRESHET_PARSER_H

#include <freshet/event.h>

#ifdef __cplusplus
extern "C" {
#endif

struct freshet_parser;

struct freshet_parser_settings {
    // Limits in bytes. What exceeds one ends the stream with FRESHET_ERR_TOO_LARGE.
    size_t max_line; // a line of a known field, without its end; at least 16
    size_t
        max_event; // the data of one event; each `data` line after the first counts one for its LF
    size_t max_id;
    size_t max_type;

    // A retry field beyond these is moved to the nearer one.
    int64_t retry_min, retry_max;

    // The last event ID to begin with, when the stream continues one from before. Copied by open().
    struct freshet_text last_id;

    struct freshet_allocator allocator;

    // Called for each event; the event and its texts (never NULL) last until it returns. Other than
    // 0 stops the feed at once: nothing after this event is looked at. May be NULL.
    int (*on_event)(void *user, const struct freshet_event *event);

    // Called for each valid retry field as soon as its line ends, whether or not an event follows.
    // May be NULL.
    void (*on_retry)(void *user, int64_t milliseconds);

    void *user;
};

// 16 MiB for a line and an event, 64 KiB for an id and a type, retry from 0 to one year, the C
// library's memory, no callbacks.
FRESHET_API void freshet_parser_settings_default(struct freshet_parser_settings *settings);

// 0, FRESHET_ERR_NOMEM, FRESHET_ERR_INVALID for settings that make no sense (max_line below 16,
// retry_min negative or above retry_max, a last_id with CR, LF or NUL in it) or
// FRESHET_ERR_TOO_LARGE for a last_id beyond max_id. On failure *out is NULL. The settings are
// copied.
FRESHET_API int freshet_parser_open(struct freshet_parser **out,
                                    const struct freshet_parser_settings *settings);

// Parses what came next. 0, or FRESHET_ERR_NOMEM, FRESHET_ERR_TOO_LARGE or FRESHET_ERR_STOPPED. An
// error is the end of this stream: the block that was pending is gone, and every later call returns
// the same until reset(). Events delivered before it stand. The bytes need only last for the call.
FRESHET_API int freshet_parser_feed(struct freshet_parser *parser, const void *bytes, size_t len);

// The end of the input, and the start of the next: discards the pending line and block, with the id
// in it, and any error. The last event ID stays, for the connection that takes the stream up again.
FRESHET_API void freshet_parser_reset(struct freshet_parser *parser);

// What to send as Last-Event-ID; empty for none, never NULL. Blocks without data move it too. Lasts
// until the next feed() or close().
FRESHET_API struct freshet_text freshet_parser_last_id(const struct freshet_parser *parser);

// Frees the parser and makes *parser NULL; NULL is fine.
FRESHET_API void freshet_parser_close(struct freshet_parser **parser);

#ifdef __cplusplus
}
#endif

#endif
