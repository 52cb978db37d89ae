// URLs through libcurl's own parser, so that what is checked here is what is connected to there.
#include "client/url.h"

#include <curl/curl.h>

#include "base/error.h"

enum { PARSE_FLAGS = CURLU_DEFAULT_PORT };

static CURLU *parse(const char *url) {
    CURLU *parts = curl_url();
    if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK) {
        curl_url_cleanup(parts);
        parts = NULL;
    }
    return parts;
}

static bool scheme_is(const char *url, const char *a, const char *b) {
    char *scheme = NULL;
    CURLU *parts = parse(url);
    bool is = parts && curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              (strcmp(scheme, a) == 0 || strcmp(scheme, b) == 0);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return is;
}

bool url_is_http(const char *url) {
    return scheme_is(url, "http", "https");
}

bool url_is_https(const char *url) {
    return scheme_is(url, "https", "https");
}

static int terminate(struct buf *out) {
    int rc = buf_append(out, "", 1);
    out->len -= rc == 0;
    return rc;
}

int url_join(struct buf *out, const char *base, const char *path) {
    size_t len = strlen(base), before = out->len;
    if (!url_is_http(base) || strpbrk(base, "?#")) {
        return ERR_INVALID;
    }
    while (len && base[len - 1] == '/') {
        len--;
    }
    int rc = buf_append(out, base, len);
    rc = rc ? rc : buf_append_text(out, path);
    rc = rc ? rc : terminate(out);
    out->len = rc ? before : out->len;
    return rc;
}

int url_encode(struct buf *out, struct bytes text, const char *keep) {
    size_t before = out->len;
    int rc = 0;
    for (size_t i = 0; i < text.len && rc == 0; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool plain =
            letter || (c >= '0' && c <= '9') || (c && strchr("-._~", c)) || (c && strchr(keep, c));
        rc = plain ? buf_append(out, &text.at[i], 1) : buf_printf(out, "%%%02X", c);
    }
    rc = rc ? rc : terminate(out);
    out->len = rc ? before : out->len;
    return rc;
}

int url_add_parameter(struct buf *out, const char *name, struct bytes value) {
    size_t before = out->len;
    const char *joint = out->len && memchr(out->at, '?', out->len) ? "&" : "?";
    int rc = buf_append_text(out, joint);
    rc = rc ? rc : url_encode(out, bytes_of(name), "");
    rc = rc ? rc : buf_append_text(out, "=");
    // A topic stays readable: slashes and the stars of patterns may stand in a query.
    rc = rc ? rc : url_encode(out, value, "/*:,");
    out->len = rc ? before : out->len;
    return rc;
}

static int append_part(CURLU *parts, CURLUPart part, unsigned flags, struct buf *out) {
    char *text = NULL;
    CURLUcode code = curl_url_get(parts, part, &text, flags);
    int rc = code == CURLUE_OUT_OF_MEMORY ? ERR_NOMEM : 0;
    if (code == CURLUE_OK) {
        rc = buf_append_text(out, text);
    }
    curl_free(text);
    return rc ? rc : terminate(out);
}

int url_take_credentials(const char *url, struct buf *out, struct buf *user, struct buf *password) {
    CURLU *parts = parse(url);
    if (!parts) {
        return ERR_INVALID;
    }
    int rc = append_part(parts, CURLUPART_USER, CURLU_URLDECODE, user);
    rc = rc ? rc : append_part(parts, CURLUPART_PASSWORD, CURLU_URLDECODE, password);
    curl_url_set(parts, CURLUPART_USER, NULL, 0);
    curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
    rc = rc ? rc : append_part(parts, CURLUPART_URL, 0, out);
    curl_url_cleanup(parts);
    return rc;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part) {
    char *in_a = NULL, *in_b = NULL;
    bool same = curl_url_get(a, part, &in_a, PARSE_FLAGS) == CURLUE_OK &&
                curl_url_get(b, part, &in_b, PARSE_FLAGS) == CURLUE_OK &&
                strcasecmp(in_a, in_b) == 0;
    curl_free(in_a);
    curl_free(in_b);
    return same;
}

bool url_same_origin(const char *a, const char *b) {
    CURLU *of_a = parse(a), *of_b = parse(b);
    bool same = of_a && of_b && same_part(of_a, of_b, CURLUPART_SCHEME) &&
                same_part(of_a, of_b, CURLUPART_HOST) && same_part(of_a, of_b, CURLUPART_PORT);
    curl_url_cleanup(of_a);
    curl_url_cleanup(of_b);
    return same;
}
