// The time that a stream takes is linear in its length however it is cut. No clock is asked: the
// bytes that the parser searches, through a memchr() that counts, and those that it moves when its
// memory grows are counted and compared with the bytes of the stream.
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <freshet/parser.h>

enum { STREAM = 1 << 20 };

static size_t searched, moved;

// In front of the C library's.
void *memchr(const void *bytes, int wanted, size_t len) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        searched++;
        if (at[i] == (unsigned char)wanted) {
            return (void *)(uintptr_t)(at + i);
        }
    }
    return NULL;
}

static void *counting_resize(void *ctx, void *old, size_t size) {
    if (size == 0) {
        free(old);
        return NULL;
    }
    moved += size;
    return realloc(old, size);
}

// Feeds `unit` again and again, cut every `piece` bytes.
static void run(const char *unit, size_t piece) {
    struct freshet_parser_settings settings;
    struct freshet_parser *parser;
    size_t unit_len = strlen(unit), fed = 0;
    char *stream = malloc(STREAM);
    assert_non_null(stream);
    for (size_t i = 0; i < STREAM; i++) {
        stream[i] = unit[i % unit_len];
    }
    freshet_parser_settings_default(&settings);
    settings.allocator.resize = counting_resize;
    assert_int_equal(freshet_parser_open(&parser, &settings), 0);
    assert_int_equal(freshet_parser_feed(parser, "id: 1\ndata: ", 12), 0);
    searched = moved = 0;
    for (; fed < STREAM; fed += piece) {
        size_t len = piece < STREAM - fed ? piece : STREAM - fed;
        assert_int_equal(freshet_parser_feed(parser, stream + fed, len), 0);
    }
    freshet_parser_close(&parser);
    free(stream);
    // Once for CR, once for LF, once for a NUL in an id.
    assert_true(searched <= 3 * STREAM);
    // Doubling: the line and the data.
    assert_true(moved <= 6 * STREAM);
}

static void every_byte_is_searched_once(void **state) {
    static const char *const units[] = {"one endless line ",
                                        "data: a\n",
                                        "data: a\r",
                                        "data: a\r\n",
                                        "\n",
                                        "\r",
                                        "\r\n",
                                        "id: 1\n",
                                        "id: 1\r",
                                        "event: e\n\xFF",
                                        ": comment\n",
                                        "unknown: field\r\n",
                                        "data\n",
                                        "\xC3\n"};
    static const size_t pieces[] = {1, 2, 7, 100, 4096, STREAM};
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            run(units[u], pieces[p]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_searched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
