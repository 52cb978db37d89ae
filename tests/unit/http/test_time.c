// Points in time, read and written, held against the C library's calendar day by day.
#include "support.h"

#include <time.h>

#include "base/error.h"
#include "http/time.h"

struct time_case {
    const char *text;
    int64_t ms;
};

static void reads_times(void **state) {
    static const struct time_case cases[] = {
        {"0", 0},
        {"1790000000123", 1790000000123},
        {"253402300799999", 253402300799999},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00.001z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-10-18T09:30:00Z", 1792315800000},
        {"2026-10-18T11:30:00+02:00", 1792315800000},
        {"2026-10-18T11:30:00 02:00", 1792315800000},
        {"2026-10-18T05:00:00-04:30", 1792315800000},
        {"2026-10-18T09:30:00-00:00", 1792315800000},
        {"2026-10-18T09:30:00.1Z", 1792315800100},
        {"2026-10-18T09:30:00.12Z", 1792315800120},
        {"2026-10-18T09:30:00.1239999999999999999999Z", 1792315800123},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"2016-12-31T23:59:60.5Z", 1483228800500},
        {"2017-01-01T00:59:60+01:00", 1483228800000},
        {"0000-01-01T00:00:00Z", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 42;
        int rc = http_time_parse(bytes_of(cases[i].text), &ms);
        if (rc || ms != cases[i].ms) {
            fail_msg("%s: %d, %lld", cases[i].text, rc, (long long)ms);
        }
    }
}

static void refuses_times(void **state) {
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        "1.5",
        " 1",
        "253402300800000",
        "18446744073709551617",
        "now",
        "2026-10-18",
        "2026-10-18T09:30:00",
        "2026-10-18T09:30Z",
        "2026-10-18 09:30:00Z",
        "2026-1-18T09:30:00Z",
        "26-10-18T09:30:00Z",
        "02026-10-18T09:30:00Z",
        "2026-00-18T09:30:00Z",
        "2026-13-18T09:30:00Z",
        "2026-10-00T09:30:00Z",
        "2026-10-32T09:30:00Z",
        "2026-09-31T09:30:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-10-18T24:00:00Z",
        "2026-10-18T09:60:00Z",
        "2026-10-18T09:30:61Z",
        "2026-10-18T09:30:60Z",
        "2016-12-31T23:59:60+01:00",
        "2026-10-18T09:30:00.Z",
        "2026-10-18T09:30:00,1Z",
        "2026-10-18T09:30:00+24:00",
        "2026-10-18T09:30:00+02:60",
        "2026-10-18T09:30:00+0200",
        "2026-10-18T09:30:00+02",
        "2026-10-18T09:30:00Zx",
        "2026-10-18T09:30:00Z ",
        "2026-10-18T-9:30:00Z",
        "2026-10-18T09:30:00+-2:00",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms;
        if (http_time_parse(bytes_of(bad[i]), &ms) != ERR_INVALID) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void assert_formats(int64_t ms) {
    char ours[HTTP_TIME_SIZE], date[HTTP_DATE_SIZE], theirs[64];
    time_t second = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
    int64_t back;
    struct tm utc;
    gmtime_r(&second, &utc);
    assert_int_equal(http_date_format(ms, date), HTTP_DATE_SIZE - 1);
    strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    assert_string_equal(date, theirs);
    assert_int_equal(http_time_format(ms, ours), HTTP_TIME_SIZE - 1);
    assert_int_equal(http_time_parse(bytes_of(ours), &back), 0);
    assert_int_equal(back, ms);
}

static void agrees_with_the_library_on_every_day(void **state) {
    int64_t day = 86400000, first = -11676096000000, last = 26223868800000; // 1600 to 2801
    for (int64_t ms = first; ms <= last; ms += day) {
        assert_formats(ms);
        assert_formats(ms + day - 1);
    }
}

static void writes_times(void **state) {
    char text[HTTP_TIME_SIZE], date[HTTP_DATE_SIZE];
    http_time_format(1792315800007, text);
    assert_string_equal(text, "2026-10-18T09:30:00.007Z");
    http_time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    http_time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    http_time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    http_date_format(784111777000, date);
    assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void caches_the_date(void **state) {
    struct http_date cache = {0};
    assert_true(bytes_is(http_date_at(&cache, 0), "Thu, 01 Jan 1970 00:00:00 GMT"));
    cache.text[0] = 't';
    assert_true(bytes_is(http_date_at(&cache, 999), "thu, 01 Jan 1970 00:00:00 GMT"));
    assert_true(bytes_is(http_date_at(&cache, 1000), "Thu, 01 Jan 1970 00:00:01 GMT"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times),
        cmocka_unit_test(refuses_times),
        cmocka_unit_test(agrees_with_the_library_on_every_day),
        cmocka_unit_test(writes_times),
        cmocka_unit_test(caches_the_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
