// Every vector of tests/vectors: whole, byte by byte, in every two-way split, and with its line
// ends exchanged. What comes out must be the transcript that the vector holds.
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/transcript.h"

enum { FEWEST_VECTORS = 60 };

struct vector {
    char name[256];
    struct freshet_text stream, expected; // owned
};

static struct freshet_text slurp(const char *folder, const char *name, const char *suffix) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("cannot open %s", path);
    }
    char *at = malloc(1 << 20);
    assert_non_null(at);
    size_t len = fread(at, 1, 1 << 20, file);
    fclose(file);
    return (struct freshet_text){at, len};
}

static void check(const struct vector *vector, const char *way, const struct transcript *got) {
    struct freshet_text want = vector->expected;
    if (got->len != want.len || memcmp(got->text, want.at, want.len) != 0) {
        fail_msg("%s, %s: expected\n%.*sbut got\n%.*s", vector->name, way, (int)want.len, want.at,
                 (int)got->len, got->text);
    }
}

// Feeds `first` bytes, then pieces of `step`.
static void run(const struct vector *vector, const char *way, struct freshet_text stream,
                size_t first, size_t step) {
    struct transcript transcript = {0};
    struct freshet_parser_settings settings;
    struct freshet_parser *parser;
    freshet_parser_settings_default(&settings);
    transcript_listen(&transcript, &settings);
    assert_int_equal(freshet_parser_open(&parser, &settings), 0);
    for (size_t at = 0, len = first; at < stream.len; at += len, len = step) {
        len = len < stream.len - at ? len : stream.len - at;
        // A copy of its own, so that a read or a borrow beyond the piece is caught.
        char *piece = malloc(len ? len : 1);
        assert_non_null(piece);
        memcpy(piece, stream.at + at, len);
        assert_int_equal(freshet_parser_feed(parser, piece, len), 0);
        free(piece);
    }
    freshet_parser_reset(parser);
    transcript_last_id(&transcript, parser);
    freshet_parser_close(&parser);
    check(vector, way, &transcript);
    transcript_finish(&transcript);
}

static void run_cuts(const struct vector *vector, const char *ends, struct freshet_text stream) {
    char way[64];
    for (size_t cut = 0; cut <= stream.len; cut++) {
        snprintf(way, sizeof way, "%s, cut at %zu", ends, cut);
        run(vector, way, stream, cut, stream.len + 1);
    }
    for (size_t step = 1; step <= 3; step++) {
        snprintf(way, sizeof way, "%s, pieces of %zu", ends, step);
        run(vector, way, stream, step, step);
    }
}

static void run_with_ends(const struct vector *vector, const char *ends, const char *eol) {
    char *at = malloc(2 * vector->stream.len + 1);
    assert_non_null(at);
    size_t len = 0;
    for (size_t i = 0; i < vector->stream.len; i++) {
        if (vector->stream.at[i] == '\n') {
            memcpy(at + len, eol, strlen(eol));
            len += strlen(eol);
        } else {
            at[len++] = vector->stream.at[i];
        }
    }
    run_cuts(vector, ends, (struct freshet_text){at, len});
    free(at);
}

static void run_vector(const char *folder, const char *name) {
    struct vector vector = {0};
    snprintf(vector.name, sizeof vector.name, "%s", name);
    vector.stream = slurp(folder, name, ".stream");
    vector.expected = slurp(folder, name, ".expect");
    run_cuts(&vector, "as it is", vector.stream);
    if (vector.stream.len && !memchr(vector.stream.at, '\r', vector.stream.len)) {
        run_with_ends(&vector, "CR", "\r");
        run_with_ends(&vector, "CRLF", "\r\n");
    }
    free((void *)(uintptr_t)vector.stream.at);
    free((void *)(uintptr_t)vector.expected.at);
}

static void all_vectors(void **state) {
    const char *folder = getenv("TEST_VECTORS");
    if (!folder) {
        skip();
    }
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char name[256];
        snprintf(name, sizeof name, "%s", entry->d_name);
        char *suffix = strstr(name, ".stream");
        if (suffix) {
            *suffix = '\0';
            run_vector(folder, name);
            count++;
        }
    }
    closedir(dir);
    assert_true(count >= FEWEST_VECTORS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
