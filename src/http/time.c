// Calendar arithmetic on days since 0000-01-01, which keeps every number positive.
#include "http/time.h"

#include "base/error.h"

enum { DAYS_TO_1970 = 719528, MINUTE = 60, HOUR = 3600, DAY = 86400, YEAR_MAX = 9999 };

struct moment {
    int year, month, day, weekday; // month from 1; Sunday is 0
    int hour, minute, second, ms;
};

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_before_year(int year) {
    int past = year - 1;
    return year ? 365 * year + past / 4 - past / 100 + past / 400 + 1 : 0;
}

static int days_before_month(int year, int month) {
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return days[month - 1] + (month > 2 && is_leap(year));
}

static int64_t first_ms(void) {
    return -(int64_t)DAYS_TO_1970 * DAY * 1000;
}

static int64_t last_ms(void) {
    return ((int64_t)days_before_year(YEAR_MAX + 1) - DAYS_TO_1970) * DAY * 1000 - 1;
}

static void set_date(struct moment *at, int days) {
    at->weekday = (days + 6) % 7;
    at->year = days / 366; // never too late, and at most a generation early
    while (days_before_year(at->year + 1) <= days) {
        at->year++;
    }
    days -= days_before_year(at->year);
    at->month = 1;
    while (days_before_month(at->year, at->month + 1) <= days) {
        at->month++;
    }
    at->day = days - days_before_month(at->year, at->month) + 1;
}

static struct moment moment_of(int64_t ms) {
    struct moment at = {0};
    ms = ms < first_ms() ? first_ms() : ms > last_ms() ? last_ms() : ms;
    ms -= first_ms();
    int second = (int)(ms / 1000 % DAY);
    set_date(&at, (int)(ms / 1000 / DAY));
    at.hour = second / HOUR;
    at.minute = second % HOUR / MINUTE;
    at.second = second % MINUTE;
    at.ms = (int)(ms % 1000);
    return at;
}

static char *put_digits(char *at, int value, int width) {
    for (int i = width - 1; i >= 0; i--, value /= 10) {
        at[i] = (char)('0' + value % 10);
    }
    return at + width;
}

static char *put_text(char *at, const char *text, size_t len) {
    memcpy(at, text, len);
    return at + len;
}

static char *put_clock(char *at, const struct moment *moment) {
    at = put_digits(at, moment->hour, 2);
    *at++ = ':';
    at = put_digits(at, moment->minute, 2);
    *at++ = ':';
    return put_digits(at, moment->second, 2);
}

size_t http_time_format(int64_t ms, char out[HTTP_TIME_SIZE]) {
    struct moment moment = moment_of(ms);
    char *at = put_digits(out, moment.year, 4);
    *at++ = '-';
    at = put_digits(at, moment.month, 2);
    *at++ = '-';
    at = put_digits(at, moment.day, 2);
    *at++ = 'T';
    at = put_clock(at, &moment);
    *at++ = '.';
    at = put_digits(at, moment.ms, 3);
    memcpy(at, "Z", 2);
    return HTTP_TIME_SIZE - 1;
}

size_t http_date_format(int64_t ms, char out[HTTP_DATE_SIZE]) {
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct moment moment = moment_of(ms);
    char *at = put_text(out, weekdays + 3 * moment.weekday, 3);
    at = put_text(at, ", ", 2);
    at = put_digits(at, moment.day, 2);
    *at++ = ' ';
    at = put_text(at, months + 3 * (moment.month - 1), 3);
    *at++ = ' ';
    at = put_digits(at, moment.year, 4);
    *at++ = ' ';
    at = put_clock(at, &moment);
    memcpy(at, " GMT", 5);
    return HTTP_DATE_SIZE - 1;
}

struct bytes http_date_at(struct http_date *cache, int64_t now_ms) {
    int64_t second = now_ms / 1000;
    if (cache->text[0] == '\0' || cache->second != second) {
        http_date_format(now_ms, cache->text);
        cache->second = second;
    }
    return bytes_make(cache->text, HTTP_DATE_SIZE - 1);
}

// Exactly `width` digits, from `low` to `high`.
static bool take_number(struct bytes *text, size_t width, int low, int high, int *value) {
    uint64_t number;
    if (text->len < width || !bytes_to_u64(bytes_make(text->at, width), UINT32_MAX, &number) ||
        number < (uint64_t)low || number > (uint64_t)high) {
        return false;
    }
    *value = (int)number;
    *text = bytes_make(text->at + width, text->len - width);
    return true;
}

static bool take_char(struct bytes *text, char a, char b) {
    if (text->len == 0 || (text->at[0] != a && text->at[0] != b)) {
        return false;
    }
    *text = bytes_make(text->at + 1, text->len - 1);
    return true;
}

static bool take_date(struct bytes *text, struct moment *at) {
    return take_number(text, 4, 0, YEAR_MAX, &at->year) && take_char(text, '-', '-') &&
           take_number(text, 2, 1, 12, &at->month) && take_char(text, '-', '-') &&
           take_number(text, 2, 1, 31, &at->day) &&
           days_before_month(at->year, at->month) + at->day <=
               days_before_month(at->year, at->month + 1);
}

static bool take_clock(struct bytes *text, struct moment *at) {
    return take_number(text, 2, 0, 23, &at->hour) && take_char(text, ':', ':') &&
           take_number(text, 2, 0, 59, &at->minute) && take_char(text, ':', ':') &&
           take_number(text, 2, 0, 60, &at->second);
}

static bool take_fraction(struct bytes *text, struct moment *at) {
    if (!take_char(text, '.', '.')) {
        return true;
    }
    int digit, unit = 100;
    size_t before = text->len;
    for (; take_number(text, 1, 0, 9, &digit); unit /= 10) {
        at->ms += digit * unit;
    }
    return text->len < before;
}

// Seconds east of UTC; -00:00 is UTC too.
static bool take_offset(struct bytes *text, int *offset) {
    int hours = 0, minutes = 0;
    *offset = 0;
    if (take_char(text, 'Z', 'z')) {
        return true;
    }
    bool west = take_char(text, '-', '-');
    if ((!west && !take_char(text, '+', ' ')) || !take_number(text, 2, 0, 23, &hours) ||
        !take_char(text, ':', ':') || !take_number(text, 2, 0, 59, &minutes)) {
        return false;
    }
    *offset = (hours * HOUR + minutes * MINUTE) * (west ? -1 : 1);
    return true;
}

static int parse_moment(struct bytes text, int64_t *ms) {
    struct moment at = {0};
    int offset;
    if (!take_date(&text, &at) || !take_char(&text, 'T', 't') || !take_clock(&text, &at) ||
        !take_fraction(&text, &at) || !take_offset(&text, &offset) || text.len) {
        return ERR_INVALID;
    }
    int64_t days = days_before_year(at.year) + days_before_month(at.year, at.month) + at.day - 1;
    int64_t second = (days - DAYS_TO_1970) * DAY + at.hour * HOUR + at.minute * MINUTE + at.second;
    second -= offset;
    *ms = second * 1000 + at.ms;
    bool real = at.second < 60 || second % DAY == 0;
    return real && *ms >= first_ms() && *ms <= last_ms() ? 0 : ERR_INVALID;
}

int http_time_parse(struct bytes text, int64_t *ms) {
    uint64_t number;
    if (bytes_to_u64(text, (uint64_t)last_ms(), &number)) {
        *ms = (int64_t)number;
        return 0;
    }
    return parse_moment(text, ms);
}
