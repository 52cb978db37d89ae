// The client's decisions. Where browsers and this client differ (429 and 5xx are retried), the
// client is the more patient one.
#include "client/policy.h"

#include <curl/curl.h>

enum { ID_MAX = 4096, DATE_MAX = 64, RETRY_AFTER_MAX_S = 3600 };

enum policy_verdict policy_status(long status) {
    switch (status) {
    case 200:
        return POLICY_GOOD;
    case 204:
        return POLICY_DONE;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return POLICY_REDIRECT;
    case 408:
    case 429:
        return POLICY_RETRY;
    default:
        return status >= 500 && status <= 599 ? POLICY_RETRY : POLICY_FAIL;
    }
}

bool policy_permanent(long status) {
    return status == 301 || status == 308;
}

bool policy_is_event_stream(struct bytes content_type) {
    const char *end = content_type.len ? memchr(content_type.at, ';', content_type.len) : NULL;
    size_t len = end ? (size_t)(end - content_type.at) : content_type.len;
    struct bytes essence = bytes_trim(bytes_make(content_type.at, len));
    return bytes_equal_nocase(essence, bytes_of("text/event-stream"));
}

int64_t policy_retry_after(struct bytes value, int64_t now) {
    char date[DATE_MAX];
    uint64_t seconds;
    value = bytes_trim(value);
    if (bytes_to_u64(value, UINT32_MAX, &seconds)) {
        return (int64_t)(seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds) * 1000;
    }
    // curl_getdate takes more than HTTP allows, down to a bare number; a date has a day's name.
    bool letter = value.len && (value.at[0] | 0x20) >= 'a' && (value.at[0] | 0x20) <= 'z';
    if (!letter || value.len >= sizeof(date)) {
        return -1;
    }
    memcpy(date, value.at, value.len);
    date[value.len] = '\0';
    time_t when = curl_getdate(date, NULL);
    if (when < 0) {
        return -1;
    }
    int64_t wait = (int64_t)when * 1000 - now;
    wait = wait < 0 ? 0 : wait;
    return wait > RETRY_AFTER_MAX_S * 1000 ? RETRY_AFTER_MAX_S * 1000 : wait;
}

bool policy_id_fits_header(struct bytes id) {
    return id.len > 0 && id.len <= ID_MAX && !bytes_have_control(id) &&
           bytes_trim(id).len == id.len;
}

static bool is_token(struct bytes name) {
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return name.len > 0;
}

bool policy_is_header_line(struct bytes line) {
    const char *colon = line.len ? memchr(line.at, ':', line.len) : NULL;
    if (!colon) {
        return false;
    }
    struct bytes name = bytes_make(line.at, (size_t)(colon - line.at));
    struct bytes value = bytes_trim(bytes_make(colon + 1, line.len - name.len - 1));
    return is_token(name) && value.len > 0 && !bytes_have_control(value);
}
