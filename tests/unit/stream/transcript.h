// What a parser said, as text: a line for each retry and each event, escaped so that every
// difference shows. Two ways to feed a stream agree when their transcripts are equal, and the
// vectors hold the transcript that is expected. Out of memory ends the program.
#ifndef TESTS_STREAM_TRANSCRIPT_H
#define TESTS_STREAM_TRANSCRIPT_H

#include <freshet/parser.h>

struct transcript {
    char *text; // NULL while empty; not terminated
    size_t len, cap;
    size_t events;
    size_t stop_at; // the event, counted from 1, at which to stop the feed; 0 for none
};

// Sets the callbacks and the user pointer; the transcript must outlive the parser.
void transcript_listen(struct transcript *transcript, struct freshet_parser_settings *settings);

// Adds a line for the last event ID.
void transcript_last_id(struct transcript *transcript, const struct freshet_parser *parser);

void transcript_finish(struct transcript *transcript);

#endif
