// The transcript: callbacks that write down what they are called with.
#include "transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct transcript *transcript, const char *at, size_t len) {
    if (transcript->cap - transcript->len < len) {
        transcript->cap = (transcript->cap + len) * 2;
        transcript->text = realloc(transcript->text, transcript->cap);
        if (!transcript->text) {
            abort();
        }
    }
    memcpy(transcript->text + transcript->len, at, len);
    transcript->len += len;
}

static void add_word(struct transcript *transcript, const char *word) {
    add(transcript, word, strlen(word));
}

static void add_number(struct transcript *transcript, const char *word, int64_t number) {
    char room[64];
    snprintf(room, sizeof room, "%s%lld", word, (long long)number);
    add_word(transcript, room);
}

static void add_quoted(struct transcript *transcript, struct freshet_text text) {
    add_word(transcript, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        char room[8] = {(char)c};
        if (c == '\n') {
            memcpy(room, "\\n", 3);
        } else if (c == '"' || c == '\\') {
            snprintf(room, sizeof room, "\\%c", c);
        } else if (c < 32) {
            snprintf(room, sizeof room, "\\x%02x", c);
        }
        add_word(transcript, room);
    }
    add_word(transcript, "\"");
}

static int on_event(void *user, const struct freshet_event *event) {
    struct transcript *transcript = user;
    add_word(transcript, "event ");
    add_quoted(transcript, event->type);
    add_word(transcript, " ");
    add_quoted(transcript, event->data);
    add_word(transcript, " id ");
    add_quoted(transcript, event->id);
    if (event->flags & FRESHET_EVENT_OWN_ID) {
        add_word(transcript, " own");
    }
    if (event->retry != -1) {
        add_number(transcript, " retry ", event->retry);
    }
    add_word(transcript, "\n");
    return ++transcript->events == transcript->stop_at;
}

static void on_retry(void *user, int64_t milliseconds) {
    add_number(user, "retry ", milliseconds);
    add_word(user, "\n");
}

void transcript_listen(struct transcript *transcript, struct freshet_parser_settings *settings) {
    settings->on_event = on_event;
    settings->on_retry = on_retry;
    settings->user = transcript;
}

void transcript_last_id(struct transcript *transcript, const struct freshet_parser *parser) {
    add_word(transcript, "last ");
    add_quoted(transcript, freshet_parser_last_id(parser));
    add_word(transcript, "\n");
}

void transcript_finish(struct transcript *transcript) {
    free(transcript->text);
    *transcript = (struct transcript){0};
}
