// Ids to text and back. No leading zeros and nothing else that would give one id two spellings.
#include "hub/id.h"

static const uint64_t COUNTER_MAX = (1u << ID_COUNTER_BITS) - 1;
static const uint64_t MS_MAX = (UINT64_C(1) << (64 - ID_COUNTER_BITS)) - 1;

event_id id_from_ms(int64_t ms) {
    uint64_t clamped = ms < 0 ? 0 : (uint64_t)ms > MS_MAX ? MS_MAX : (uint64_t)ms;
    return clamped << ID_COUNTER_BITS;
}

int64_t id_to_ms(event_id id) {
    return (int64_t)(id >> ID_COUNTER_BITS);
}

static size_t format_number(uint64_t n, char *out) {
    char digits[20];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    for (size_t i = 0; i < len; i++) {
        out[i] = digits[len - 1 - i];
    }
    return len;
}

size_t id_format(event_id id, char *out) {
    size_t len = format_number(id >> ID_COUNTER_BITS, out);
    out[len++] = '-';
    return len + format_number(id & COUNTER_MAX, out + len);
}

static bool split(struct bytes text, struct bytes *ms, struct bytes *counter) {
    const char *minus = text.len ? memchr(text.at, '-', text.len) : NULL;
    if (!minus) {
        return false;
    }
    *ms = bytes_make(text.at, (size_t)(minus - text.at));
    *counter = bytes_make(minus + 1, text.len - ms->len - 1);
    return true;
}

static bool is_canonical(struct bytes digits) {
    return digits.len == 1 || (digits.len && digits.at[0] != '0');
}

bool id_parse(struct bytes text, event_id *out) {
    struct bytes ms_text, counter_text;
    uint64_t ms, counter;
    if (!split(text, &ms_text, &counter_text) || !is_canonical(ms_text) ||
        !is_canonical(counter_text) || !bytes_to_u64(ms_text, MS_MAX, &ms) ||
        !bytes_to_u64(counter_text, COUNTER_MAX, &counter)) {
        return false;
    }
    *out = ms << ID_COUNTER_BITS | counter;
    return true;
}

static bool all_digits(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

bool id_looks_like_one(struct bytes text) {
    struct bytes ms, counter;
    return split(text, &ms, &counter) && all_digits(ms) && all_digits(counter);
}
