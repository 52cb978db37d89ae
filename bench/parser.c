// How fast the parser is, beside memchr() over the same bytes, which is about as fast as bytes can
// be looked at: events of 200 bytes, fed in pieces the size of a socket read. Prints one line.
//
//     bench-parser [ascii|crlf|lines|text] [BYTES A FEED]
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <freshet/parser.h>
#include <freshet/writer.h>

#include "lab.h"

enum { EVENT_SIZE = 200, EVENTS = 5000, ROUNDS = 400 };

struct stream {
    char *at;
    size_t len;
};

static const char letters[] =
    "{\"symbol\":\"FRST\",\"price\":101.25,\"volume\":4200,\"side\":\"buy\"},";

// Korean, which takes three bytes a letter, with a space now and then.
static const char hangul[] = "\xEC\x84\x9C\xEB\xB2\x84\xEA\xB0\x80 \xEB\xB3\xB4\xEB\x82\xB8 ";

static void fill(char *data, size_t len, const char *with) {
    size_t unit = strlen(with);
    for (size_t i = 0; i < len; i += unit) {
        size_t rest = len - i;
        if (rest >= unit) {
            memcpy(data + i, with, unit);
        } else {
            memset(data + i, '.', rest);
        }
    }
}

// One event of EVENT_SIZE bytes, or a few more when it has more lines.
static size_t write_event(const char *kind, unsigned n, char *out) {
    char id[32], data[EVENT_SIZE];
    int id_len = snprintf(id, sizeof id, "1700000000%03u-%u", n % 1000, n % 10);
    size_t len = EVENT_SIZE - (size_t)id_len - strlen("id: \nevent: tick\ndata: \n\n");
    fill(data, len, strcmp(kind, "text") == 0 ? hangul : letters);
    for (size_t i = 19; strcmp(kind, "lines") == 0 && i < len; i += 20) {
        data[i] = '\n';
    }
    struct freshet_event event = {
        .id = {id, (size_t)id_len}, .type = {"tick", 4}, .data = {data, len}, .retry = -1};
    return freshet_event_size(&event) > 0 ? freshet_event_write(&event, out) : 0;
}

static struct stream make_stream(const char *kind) {
    struct stream stream = {malloc((size_t)EVENTS * EVENT_SIZE * 2), 0};
    for (unsigned n = 0; stream.at && n < EVENTS; n++) {
        char event[2 * EVENT_SIZE];
        size_t len = write_event(kind, n, event);
        for (size_t i = 0; i < len; i++) {
            if (event[i] == '\n' && strcmp(kind, "crlf") == 0) {
                stream.at[stream.len++] = '\r';
            }
            stream.at[stream.len++] = event[i];
        }
    }
    return stream;
}

// The processor's time, which others on the machine take less from than from the clock's.
static double now(void) {
    return lab_now_s(CLOCK_PROCESS_CPUTIME_ID);
}

static int on_event(void *user, const struct freshet_event *event) {
    uint64_t *events = user;
    *events += event->data.len > 0;
    return 0;
}

static double parse(struct stream stream, size_t piece, uint64_t *events) {
    struct freshet_parser_settings settings;
    struct freshet_parser *parser;
    freshet_parser_settings_default(&settings);
    settings.on_event = on_event;
    settings.user = events;
    if (freshet_parser_open(&parser, &settings)) {
        return 0;
    }
    double start = now();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t at = 0; at < stream.len; at += piece) {
            size_t len = piece < stream.len - at ? piece : stream.len - at;
            freshet_parser_feed(parser, stream.at + at, len);
        }
    }
    double took = now() - start;
    freshet_parser_close(&parser);
    return took;
}

static double look(struct stream stream, size_t piece) {
    double start = now();
    volatile size_t found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t at = 0; at < stream.len; at += piece) {
            size_t len = piece < stream.len - at ? piece : stream.len - at;
            found += memchr(stream.at + at, '\0', len) != NULL;
        }
    }
    return now() - start;
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "ascii";
    size_t piece = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : 65536;
    struct stream stream = make_stream(kind);
    if (!stream.at || piece == 0) {
        return 1;
    }
    uint64_t events = 0;
    double bytes = (double)stream.len * ROUNDS;
    double parser = parse(stream, piece, &events), memory = look(stream, piece);
    printf("bench=parser kind=%s feed=%zu events=%" PRIu64 " parser_gb_per_s=%.2f "
           "ns_per_event=%.1f memchr_gb_per_s=%.2f\n",
           kind, piece, events, bytes / parser / 1e9, parser * 1e9 / (double)events,
           bytes / memory / 1e9);
    free(stream.at);
    return 0;
}
