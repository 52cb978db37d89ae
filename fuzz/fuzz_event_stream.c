// The event-stream format under a fuzzer. For any bytes: the events do not depend on how they are
// cut, all text that comes out is UTF-8, and the writer and the parser are inverse: what parses can
// be written and reads back the same, and any event that the writer takes reads back as exactly
// one, with the ends of its lines made LF.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <freshet/parser.h>
#include <freshet/writer.h>

#include "stream/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

static struct freshet_parser *open_parser(struct freshet_parser_settings *settings) {
    struct freshet_parser *parser;
    require(freshet_parser_open(&parser, settings) == 0);
    return parser;
}

// A copy of just these bytes, so that reading beyond them is seen.
static char *copy(const char *at, size_t len) {
    char *made = malloc(len ? len : 1);
    require(made != NULL);
    if (len) {
        memcpy(made, at, len);
    }
    return made;
}

static bool same(struct freshet_text a, struct freshet_text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// What the parser makes of text that the writer took: every line end is an LF.
static struct freshet_text normalise(struct freshet_text data) {
    char *made = copy(data.at, data.len);
    size_t len = 0;
    for (size_t i = 0; i < data.len; i++) {
        bool second = i > 0 && data.at[i] == '\n' && data.at[i - 1] == '\r';
        if (!second) {
            made[len++] = data.at[i] == '\r' ? '\n' : data.at[i];
        }
    }
    return (struct freshet_text){made, len};
}

struct expected {
    const struct freshet_event *event;
    struct freshet_text data;
    int events;
};

static int compare(void *user, const struct freshet_event *got) {
    struct expected *expected = user;
    const struct freshet_event *want = expected->event;
    require(++expected->events == 1);
    require(same(got->data, expected->data) && same(got->type, want->type));
    require(same(got->id, want->id) && got->retry == want->retry);
    require(((got->flags & FRESHET_EVENT_OWN_ID) != 0) == (want->id.at != NULL));
    return 0;
}

static void round_trip(const struct freshet_event *event) {
    int64_t size = freshet_event_size(event);
    if (size < 0) {
        return;
    }
    char *out = malloc((size_t)size);
    require(out != NULL && freshet_event_write(event, out) == (size_t)size);
    struct expected expected = {.event = event, .data = normalise(event->data)};
    struct freshet_parser_settings settings;
    freshet_parser_settings_default(&settings);
    settings.retry_max = INT64_MAX;
    settings.on_event = compare;
    settings.user = &expected;
    struct freshet_parser *parser = open_parser(&settings);
    require(freshet_parser_feed(parser, out, (size_t)size) == 0);
    require(expected.events == 1);
    freshet_parser_close(&parser);
    free((void *)(uintptr_t)expected.data.at);
    free(out);
}

static int check_parsed(void *user, const struct freshet_event *event) {
    require(event->id.at && event->type.at && event->data.at);
    require(freshet_utf8_check(event->id) == event->id.len);
    require(freshet_utf8_check(event->type) == event->type.len);
    require(freshet_utf8_check(event->data) == event->data.len);
    require(!memchr(event->data.at, '\r', event->data.len));
    // The parser takes a NUL in a type, the writer does not.
    require(freshet_event_size(event) > 0 || memchr(event->type.at, '\0', event->type.len));
    round_trip(event);
    return 0;
}

// Small limits, so that a small input reaches them.
static void settings_of(uint8_t choice, struct freshet_parser_settings *settings) {
    freshet_parser_settings_default(settings);
    if (choice & 1) {
        settings->max_line = 16 + (choice >> 4);
    }
    if (choice & 2) {
        settings->max_event = choice >> 3;
    }
    if (choice & 4) {
        settings->max_id = settings->max_type = choice >> 4;
    }
}

enum cutting { WHOLE, SINGLE, RANDOM };

static void run(uint8_t choice, uint32_t random, enum cutting cutting, const char *at, size_t len,
                struct transcript *transcript) {
    struct freshet_parser_settings settings;
    settings_of(choice, &settings);
    transcript_listen(transcript, &settings);
    struct freshet_parser *parser = open_parser(&settings);
    int rc = 0;
    for (size_t fed = 0, piece; rc == 0 && fed < len; fed += piece) {
        random = random * 1664525u + 1013904223u;
        piece = cutting == WHOLE ? len : cutting == SINGLE ? 1 : (random >> 16) % 24;
        piece = piece < len - fed ? piece : len - fed;
        char *bytes = copy(at + fed, piece);
        rc = freshet_parser_feed(parser, bytes, piece);
        free(bytes);
    }
    require(rc == 0 || rc == FRESHET_ERR_TOO_LARGE);
    require(rc == 0 || freshet_parser_feed(parser, "\n\n", 2) == rc);
    freshet_parser_reset(parser);
    transcript_last_id(transcript, parser);
    freshet_parser_close(&parser);
}

static void every_cutting_agrees(uint8_t choice, const char *at, size_t len) {
    struct transcript whole = {0};
    run(choice, 0, WHOLE, at, len, &whole);
    for (uint32_t i = 0; i < 4; i++) {
        struct transcript other = {0};
        run(choice, choice * 7919u + i, i ? RANDOM : SINGLE, at, len, &other);
        require(other.len == whole.len && memcmp(other.text, whole.text, whole.len) == 0);
        transcript_finish(&other);
    }
    transcript_finish(&whole);
}

static void parsed_events_are_sound(const char *at, size_t len) {
    struct freshet_parser_settings settings;
    freshet_parser_settings_default(&settings);
    settings.on_event = check_parsed;
    struct freshet_parser *parser = open_parser(&settings);
    require(freshet_parser_feed(parser, at, len) == 0);
    freshet_parser_close(&parser);
}

// The bytes themselves as the fields of an event: cut in three where the first two say.
static void any_event(uint8_t choice, const uint8_t *bytes, size_t len) {
    if (len < 2) {
        return;
    }
    const char *at = (const char *)bytes + 2;
    len -= 2;
    size_t id_len = bytes[0] % (len + 1);
    size_t type_len = bytes[1] % (len - id_len + 1);
    char *id = copy(at, id_len), *type = copy(at + id_len, type_len);
    char *data = copy(at + id_len + type_len, len - id_len - type_len);
    struct freshet_event event = {
        .id = {choice & 1 ? id : NULL, choice & 1 ? id_len : 0},
        .type = {choice & 2 ? type : NULL, choice & 2 ? type_len : 0},
        .data = {data, len - id_len - type_len},
        .retry = choice & 4 ? (int64_t)choice << (choice >> 3) : -1,
    };
    round_trip(&event);
    free(id);
    free(type);
    free(data);
}

// The first byte chooses limits and cuts, the rest is the stream.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    if (len == 0) {
        return 0;
    }
    uint8_t choice = bytes[0];
    const char *stream = (const char *)bytes + 1;
    every_cutting_agrees(choice, stream, len - 1);
    parsed_events_are_sound(stream, len - 1);
    any_event(choice, bytes + 1, len - 1);
    return 0;
}
