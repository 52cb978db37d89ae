// Lines out of a pipe: whole ones, a last one without an end, ones that are too long.
#include "cli/line_reader.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "support.h"

enum { LINE = 100, PIECE = 64 * 1024 };

struct source {
    int fd;
    FILE *file;
};

// A file with this in it, so that any amount fits.
static struct source source_of(const char *text, size_t len) {
    struct source source = {.file = tmpfile()};
    assert_non_null(source.file);
    assert_int_equal(fwrite(text, 1, len, source.file), len);
    rewind(source.file);
    source.fd = fileno(source.file);
    return source;
}

static void assert_line(struct line_reader *reader, const char *wanted) {
    struct bytes line;
    assert_int_equal(line_reader_next(reader, &line), 1);
    assert_int_equal(line.len, strlen(wanted));
    assert_memory_equal(line.at, wanted, line.len);
}

static void lines_come_one_by_one(void **state) {
    static const char text[] = "one\n\nthree\r\nfour";
    struct source source = source_of(text, sizeof(text) - 1);
    struct test_mem mem;
    struct line_reader reader;
    struct bytes line;
    test_mem_init(&mem);
    line_reader_init(&reader, &mem.mem, source.fd, LINE);
    assert_line(&reader, "one");
    assert_line(&reader, "");
    assert_line(&reader, "three\r");
    assert_int_equal(reader.number, 3);
    assert_line(&reader, "four");
    assert_int_equal(line_reader_next(&reader, &line), 0);
    assert_int_equal(line_reader_next(&reader, &line), 0);
    assert_int_equal(reader.bytes, sizeof(text) - 1);
    line_reader_finish(&reader);
    test_mem_finish(&mem);
    fclose(source.file);
}

// Lines of these lengths, the long ones far longer than what is read at once.
static void too_long_ones_are_dropped(void **state) {
    static const size_t lengths[] = {5, LINE + 3 * PIECE, 7, LINE + 4 * PIECE + 1, LINE, 0};
    size_t count = sizeof(lengths) / sizeof(lengths[0]), len = 0;
    static char text[10 * PIECE];
    for (size_t i = 0; i < count; i++) {
        memset(text + len, 'a' + (int)i, lengths[i]);
        len += lengths[i];
        text[len++] = '\n';
    }
    struct source source = source_of(text, len);
    struct line_reader reader;
    struct bytes line;
    line_reader_init(&reader, &mem_libc, source.fd, LINE);
    for (size_t i = 0; i < count; i++) {
        bool fits = lengths[i] <= LINE;
        assert_int_equal(line_reader_next(&reader, &line), fits ? 1 : ERR_TOO_LARGE);
        assert_int_equal(reader.number, i + 1);
        assert_true(!fits || (line.len == lengths[i] && (!line.len || *line.at == 'a' + (int)i)));
        assert_true(reader.input.cap <= LINE + 2 * PIECE);
    }
    assert_int_equal(line_reader_next(&reader, &line), 0);
    line_reader_finish(&reader);
    fclose(source.file);
}

static void a_last_line_may_be_too_long(void **state) {
    static char text[4 * PIECE];
    memset(text, 'x', sizeof(text));
    struct source source = source_of(text, sizeof(text));
    struct line_reader reader;
    struct bytes line;
    line_reader_init(&reader, &mem_libc, source.fd, LINE);
    assert_int_equal(line_reader_next(&reader, &line), ERR_TOO_LARGE);
    assert_int_equal(line_reader_next(&reader, &line), 0);
    line_reader_finish(&reader);
    fclose(source.file);
}

static void memory_may_fail(void **state) {
    struct source source = source_of("a\n", 2);
    struct test_mem mem;
    struct line_reader reader;
    struct bytes line;
    test_mem_init(&mem);
    mem.fail_at = 1;
    line_reader_init(&reader, &mem.mem, source.fd, LINE);
    assert_int_equal(line_reader_next(&reader, &line), ERR_NOMEM);
    assert_line(&reader, "a");
    line_reader_finish(&reader);
    test_mem_finish(&mem);
    fclose(source.file);
}

static void a_descriptor_may_refuse(void **state) {
    struct line_reader reader;
    struct bytes line;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    line_reader_init(&reader, &mem_libc, ends[1], LINE); // the end that is written to
    close(ends[0]);
    assert_int_equal(line_reader_next(&reader, &line), ERR_SYSTEM);
    line_reader_finish(&reader);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_one_by_one),       cmocka_unit_test(too_long_ones_are_dropped),
        cmocka_unit_test(a_last_line_may_be_too_long), cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(a_descriptor_may_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
