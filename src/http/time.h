// Time as text, without the C library's calendar, locale or time zone: proleptic Gregorian UTC,
// milliseconds since 1970. Pure: any thread, nothing allocated.
#ifndef HTTP_TIME_H
#define HTTP_TIME_H

#include <stdint.h>

#include "base/bytes.h"

enum {
    HTTP_TIME_SIZE = 25, // "2026-10-18T09:30:00.000Z" and a NUL
    HTTP_DATE_SIZE = 30, // "Sun, 18 Oct 2026 09:30:00 GMT" and a NUL
};

// A point in time as people write it in a query: an RFC 3339 date-time (any offset, any number of
// digits of fraction, what is finer than a millisecond dropped; t and z in any case), or digits
// only: Unix milliseconds. The second 60 counts as the next minute's first, but only at 23:59 UTC.
// A space stands for the plus of the offset, because that is what an unescaped plus in a query
// becomes. 0 or ERR_INVALID; years 0000 to 9999.
int http_time_parse(struct bytes text, int64_t *ms);

// RFC 3339 with milliseconds, in UTC. A time outside of the years 0000 to 9999 is written as the
// nearest within. Returns the length, always HTTP_TIME_SIZE - 1.
size_t http_time_format(int64_t ms, char out[HTTP_TIME_SIZE]);

// The Date header's form (IMF-fixdate). Years as above; always HTTP_DATE_SIZE - 1.
size_t http_date_format(int64_t ms, char out[HTTP_DATE_SIZE]);

// The Date header, written anew once a second. The owner keeps one for each thread, zeroed before
// use.
struct http_date {
    int64_t second;
    char text[HTTP_DATE_SIZE];
};

// A slice of the cache, valid until the next call.
struct bytes http_date_at(struct http_date *cache, int64_t now_ms);

#endif
