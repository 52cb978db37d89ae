// Keys from URLs: fetched when the server starts, every so often, and when a token names a key that is
// not known, by a thread of its own. What was fetched last stays good while the URL does not answer.
#ifndef SERVER_KEY_SOURCE_H
#define SERVER_KEY_SOURCE_H

#include "base/bytes.h"
#include "base/texts.h"

struct key_source;

struct key_source_settings {
    const struct texts *urls; // outlives the source
    int64_t refresh_ms;
    // The texts that the URLs have given, one for each in their order, empty: nothing yet. On the
    // source's thread, or on that of key_source_open. Negative: they cannot be used, `problem` says
    // why, and those before stay.
    int (*fetched)(void *ctx, const struct bytes *texts, size_t count, const char **problem);
    void *ctx;
};

// Fetches for the first time, which takes as long as the slowest URL but not for ever, and starts the
// thread: 0, also when a URL did not answer, which is logged; ERR_NOMEM; ERR_SYSTEM: there is no
// thread, or this build has no libcurl.
int key_source_open(struct key_source **out, const struct key_source_settings *settings);

// NULLs the pointer; what is under way is ended.
void key_source_close(struct key_source **source);

// A token named a key that nobody knows: fetches soon, unless that has been done lately. Any thread.
void key_source_nudge(struct key_source *source);

#endif
