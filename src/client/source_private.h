// The source in its two parts: source.c is its life and the waiting between connections,
// source_connect.c one connection with its redirects. Nobody else includes this.
#ifndef CLIENT_SOURCE_PRIVATE_H
#define CLIENT_SOURCE_PRIVATE_H

#include <freshet/parser.h>

#include "base/buf.h"
#include "client/backoff.h"
#include "client/policy.h"
#include "client/source.h"
#include "client/transfer.h"

enum { SOURCE_REDIRECTS_MAX = 10, SOURCE_ERROR_BODY_MAX = 64 * 1024, SOURCE_URL_MAX = 64 * 1024 };

struct source {
    struct source_settings settings;
    struct transfer *transfer;
    struct freshet_parser *parser;
    struct backoff backoff;
    struct buf user, password; // of the original URL
    struct buf home;           // where connections start
    bool home_trusted;         // home still has the origin of the original URL

    // One connection.
    struct buf url;        // what is being asked
    struct buf error_body; // of an answer that is no stream
    enum policy_verdict verdict;
    long status;
    bool opened, got_event;
    bool stopped;     // a callback asked for the end
    int parser_error; // what ended the stream from within
    int64_t opened_at, retry_after;
    char reason[640];
};

// What became of one connection.
enum source_outcome {
    SOURCE_AGAIN,    // it ended, or did not come about; reason says how
    SOURCE_FINISHED, // 204
    SOURCE_HALTED,   // somebody asked for the end
    SOURCE_HOPELESS, // reason says why
};

enum source_outcome source_connect(struct source *source);

// Keeps the sentence and returns the outcome.
enum source_outcome source_say(struct source *source, enum source_outcome outcome,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));

void source_note(struct source *source, enum source_note note, const char *sentence);

#endif
