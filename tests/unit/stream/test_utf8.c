// UTF-8 against a slow decoder that is written from the definition and knows nothing of tables, at
// every boundary of table 3-7 of the Unicode standard and at every place in a block.
#include "support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <freshet/parser.h>

static bool is_tail(unsigned byte) {
    return byte >= 0x80 && byte <= 0xBF;
}

// Whether a well-formed sequence can begin with these bytes, 1 to 4 of them: by the code points
// that it could still stand for.
static bool can_begin(const unsigned char *at, size_t len) {
    static const struct {
        unsigned first, last, low, high; // lead bytes, code points
    } kinds[] = {
        {0xC0, 0xDF, 0x80, 0x7FF}, {0xE0, 0xEF, 0x800, 0xFFFF}, {0xF0, 0xF7, 0x10000, 0x10FFFF}};
    for (size_t k = 0; k < 3; k++) {
        if (at[0] < kinds[k].first || at[0] > kinds[k].last || len > k + 2) {
            continue;
        }
        unsigned low = at[0] - kinds[k].first, high;
        for (size_t i = 1; i < len; i++) {
            if (!is_tail(at[i])) {
                return false;
            }
            low = low << 6 | (at[i] & 0x3F);
        }
        unsigned open = 6 * (unsigned)(k + 2 - len);
        low <<= open;
        high = low + (1u << open) - 1;
        bool surrogates = low >= 0xD800 && high <= 0xDFFF;
        return high >= kinds[k].low && low <= kinds[k].high && !surrogates;
    }
    return false;
}

static size_t want_len(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Decodes slowly into `out`; *first is the offset of the first fault, or len.
static size_t reference(const unsigned char *at, size_t len, char *out, size_t *first) {
    size_t made = 0;
    *first = len;
    for (size_t i = 0, n; i < len; i += n) {
        n = 1;
        bool good = at[i] < 0x80;
        if (!good && can_begin(at + i, 1)) {
            while (n < want_len(at[i]) && i + n < len && can_begin(at + i, n + 1)) {
                n++;
            }
            good = n == want_len(at[i]);
        }
        if (!good && *first == len) {
            *first = i;
        }
        memcpy(out + made, good ? (const char *)at + i : "\xEF\xBF\xBD", good ? n : 3);
        made += good ? n : 3;
    }
    return made;
}

struct seen {
    char data[1024];
    size_t len;
};

static int on_event(void *user, const struct freshet_event *event) {
    struct seen *seen = user;
    assert_true(event->data.len <= sizeof seen->data);
    memcpy(seen->data, event->data.at, event->data.len);
    seen->len = event->data.len;
    return 0;
}

// The parser is opened once: opening it a million times would be most of the test.
static struct freshet_parser *parser;
static struct seen seen;

static int open_parser(void **state) {
    struct freshet_parser_settings settings;
    freshet_parser_settings_default(&settings);
    settings.on_event = on_event;
    settings.user = &seen;
    return freshet_parser_open(&parser, &settings);
}

static int close_parser(void **state) {
    freshet_parser_close(&parser);
    return 0;
}

static void check(const unsigned char *bytes, size_t len) {
    char want[1024];
    size_t first, made = reference(bytes, len, want, &first);
    struct freshet_text text = {(const char *)bytes, len};
    assert_int_equal(freshet_utf8_check(text), first);
    assert_int_equal(freshet_parser_feed(parser, "data:", 5), 0);
    assert_int_equal(freshet_parser_feed(parser, bytes, len), 0);
    assert_int_equal(freshet_parser_feed(parser, "\n\n", 2), 0);
    assert_int_equal(seen.len, made);
    assert_memory_equal(seen.data, want, made);
}

// Every byte that bounds a row of the table, and its neighbours.
static const unsigned char edges[] = {0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                      0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
                                      0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};
enum { EDGES = sizeof edges };

static void all_boundaries(void **state) {
    for (size_t i = 0; i < (size_t)EDGES * EDGES * EDGES * EDGES; i++) {
        unsigned char bytes[6] = {'a',
                                  edges[i % EDGES],
                                  edges[i / EDGES % EDGES],
                                  edges[i / EDGES / EDGES % EDGES],
                                  edges[i / EDGES / EDGES / EDGES],
                                  'z'};
        check(bytes, sizeof bytes);
        check(bytes, sizeof bytes - 1);
    }
}

static void all_pairs(void **state) {
    for (unsigned i = 0; i < 0x10000; i++) {
        unsigned char bytes[4] = {(unsigned char)(i >> 8), (unsigned char)i, 0x80, 0x80};
        if (memchr(bytes, '\n', 2) || memchr(bytes, '\r', 2) || bytes[0] == ' ') {
            continue;
        }
        for (size_t len = 1; len <= sizeof bytes; len++) {
            check(bytes, len);
        }
    }
}

static void all_code_points(void **state) {
    for (unsigned c = 0x80; c <= 0x10FFFF; c++) {
        unsigned char b[4];
        size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char leads[] = {0xC0, 0xE0, 0xF0};
        b[0] = (unsigned char)(leads[len - 2] | c >> (6 * (len - 1)));
        for (size_t i = 1; i < len; i++) {
            b[i] = (unsigned char)(0x80 | (c >> (6 * (len - 1 - i)) & 0x3F));
        }
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        struct freshet_text text = {(const char *)b, len};
        assert_int_equal(freshet_utf8_check(text), surrogate ? 0 : len);
    }
}

// Sequences, whole and broken, across every boundary of the words and blocks of the fast path.
static void every_offset(void **state) {
    static const char *const sequences[] = {
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xF0",
        "\x80",
        "\xC0\xAF",
        "\xED\xA0\x80",
        "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80"
        "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98"};
    for (size_t k = 0; k < sizeof sequences / sizeof sequences[0]; k++) {
        size_t n = strlen(sequences[k]);
        for (size_t before = 0; before < 70; before++) {
            for (size_t after = 0; after < 70; after++) {
                unsigned char bytes[256];
                memset(bytes, 'x', sizeof bytes);
                memcpy(bytes + before, sequences[k], n);
                check(bytes, before + n + after);
            }
        }
    }
}

static void random_bytes(void **state) {
    uint32_t random = 2463534242u;
    for (int round = 0; round < 100000; round++) {
        unsigned char bytes[100];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            bytes[i] = random % 3 ? edges[(random >> 8) % EDGES] : (unsigned char)(random >> 8);
            if (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == ' ') {
                bytes[i] = 'x';
            }
        }
        check(bytes, random % (sizeof bytes + 1));
    }
}

static void empty_text(void **state) {
    assert_int_equal(freshet_utf8_check((struct freshet_text){NULL, 0}), 0);
    assert_int_equal(freshet_utf8_check((struct freshet_text){"", 0}), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_text),   cmocka_unit_test(all_boundaries),
        cmocka_unit_test(all_pairs),    cmocka_unit_test(all_code_points),
        cmocka_unit_test(every_offset), cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, open_parser, close_parser);
}
