// Reads Accept and Accept-Encoding. For each representation the most precise range that fits decides, so that
// "application/*, application/json;q=0" takes JSON out; then the best of them is chosen.
#include "http/negotiate.h"

#include "http/token.h"

enum { FITS_NOT, FITS_ANY, FITS_TYPE, FITS_EXACTLY };
enum { Q_MAX = 1000 };

struct range {
    struct bytes type, subtype;
    int q; // in thousandths
};

struct verdict {
    int precision, q;
};

static const char *const types[HTTP_NOT_ACCEPTABLE][3] = {
    [HTTP_EVENT_STREAM] = {"text/event-stream"},
    [HTTP_JSON] = {"application/json"},
    [HTTP_NDJSON] = {"application/x-ndjson", "application/ndjson", "application/jsonl"},
};

const char *http_representation_type(enum http_representation representation) {
    return representation < HTTP_NOT_ACCEPTABLE ? types[representation][0] : NULL;
}

struct bytes http_media_essence(struct bytes content_type) {
    struct bytes essence = {.at = ""};
    const char *mark = content_type.len ? memchr(content_type.at, ';', content_type.len) : NULL;
    if (content_type.len) {
        size_t len = mark ? (size_t)(mark - content_type.at) : content_type.len;
        essence = bytes_trim(bytes_make(content_type.at, len));
    }
    return essence;
}

bool http_media_is(struct bytes content_type, const char *essence) {
    return bytes_equal_nocase(http_media_essence(content_type), bytes_of(essence));
}

static bool is_one_of(struct bytes essence, enum http_representation representation) {
    for (int i = 0; i < 3 && types[representation][i]; i++) {
        if (bytes_equal_nocase(essence, bytes_of(types[representation][i]))) {
            return true;
        }
    }
    return false;
}

bool http_media_is_ndjson(struct bytes content_type) {
    return is_one_of(http_media_essence(content_type), HTTP_NDJSON);
}

// From 0 to 1, -1 for anything else. Java sends ".2" by default, and some send more decimals than
// the three that count.
static int parse_q(struct bytes text) {
    size_t i = text.len && (text.at[0] == '0' || text.at[0] == '1');
    int q = i ? (text.at[0] - '0') * Q_MAX : 0;
    if (text.len == 0 || (i < text.len && text.at[i++] != '.')) {
        return -1;
    }
    for (int unit = Q_MAX / 10; i < text.len; i++, unit /= 10) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return -1;
        }
        q += (text.at[i] - '0') * unit;
    }
    return q <= Q_MAX ? q : -1;
}

static int parameter_q(struct bytes parameters) {
    struct bytes part;
    int q = Q_MAX;
    while (http_list_next(&parameters, ';', &part)) {
        if (part.len > 1 && (part.at[0] | 0x20) == 'q' && part.at[1] == '=') {
            q = parse_q(bytes_make(part.at + 2, part.len - 2));
        }
    }
    return q;
}

static bool parse_range(struct bytes text, struct range *range) {
    struct bytes part;
    *range = (struct range){.q = Q_MAX};
    if (!http_list_next(&text, ';', &part) || !memchr(part.at, '/', part.len)) {
        return false;
    }
    size_t slash = (size_t)((const char *)memchr(part.at, '/', part.len) - part.at);
    range->type = bytes_make(part.at, slash);
    range->subtype = bytes_make(part.at + slash + 1, part.len - slash - 1);
    range->q = parameter_q(text);
    return range->q >= 0 && http_is_token(range->type) && http_is_token(range->subtype);
}

static int precision_of(const struct range *range, enum http_representation representation) {
    struct bytes whole = bytes_make(range->type.at, range->type.len + 1 + range->subtype.len);
    struct bytes type = bytes_of(types[representation][0]);
    type.len = strcspn(type.at, "/");
    if (is_one_of(whole, representation)) {
        return FITS_EXACTLY;
    }
    if (!bytes_is(range->subtype, "*")) {
        return FITS_NOT;
    }
    if (bytes_is(range->type, "*")) {
        return FITS_ANY;
    }
    return bytes_equal_nocase(range->type, type) ? FITS_TYPE : FITS_NOT;
}

static bool better(struct verdict a, struct verdict b, bool q_first) {
    int by_q = a.q - b.q, by_precision = a.precision - b.precision;
    int first = q_first ? by_q : by_precision, second = q_first ? by_precision : by_q;
    return first > 0 || (first == 0 && second > 0);
}

static void judge(struct verdict verdicts[], const struct range *range) {
    for (int i = 0; i < HTTP_NOT_ACCEPTABLE; i++) {
        struct verdict verdict = {precision_of(range, (enum http_representation)i), range->q};
        if (verdict.precision && better(verdict, verdicts[i], false)) {
            verdicts[i] = verdict;
        }
    }
}

bool http_accepts_gzip(struct bytes accept_encoding) {
    int gzip = -1, identity = -1, any = -1;
    struct bytes element, coding;
    while (http_list_next(&accept_encoding, ',', &element)) {
        int q = http_list_next(&element, ';', &coding) ? parameter_q(element) : -1;
        bool is_gzip = q >= 0 && (bytes_equal_nocase(coding, bytes_of("gzip")) ||
                                  bytes_equal_nocase(coding, bytes_of("x-gzip")));
        if (is_gzip) {
            gzip = q > gzip ? q : gzip;
        } else if (q >= 0 && bytes_equal_nocase(coding, bytes_of("identity"))) {
            identity = q;
        } else if (q >= 0 && bytes_is(coding, "*")) {
            any = q;
        }
    }
    gzip = gzip >= 0 ? gzip : any;
    identity = identity >= 0 ? identity : any;
    return gzip > 0 && gzip >= identity;
}

bool http_accepts_html(struct bytes accept) {
    struct range range;
    struct bytes element;
    bool named = false;
    while (!named && http_list_next(&accept, ',', &element)) {
        named = parse_range(element, &range) && range.q > 0 &&
                bytes_equal_nocase(range.type, bytes_of("text")) &&
                bytes_equal_nocase(range.subtype, bytes_of("html"));
    }
    return named;
}

enum http_representation http_negotiate(struct bytes accept) {
    struct verdict verdicts[HTTP_NOT_ACCEPTABLE] = {{0, 0}};
    struct range range;
    struct bytes element;
    bool empty = true;
    while (http_list_next(&accept, ',', &element)) {
        empty = false;
        if (parse_range(element, &range)) {
            judge(verdicts, &range);
        }
    }
    int best = HTTP_NOT_ACCEPTABLE;
    for (int i = 0; i < HTTP_NOT_ACCEPTABLE; i++) {
        bool wins = best == HTTP_NOT_ACCEPTABLE || better(verdicts[i], verdicts[best], true);
        best = verdicts[i].q > 0 && wins ? i : best;
    }
    return empty ? HTTP_EVENT_STREAM : (enum http_representation)best;
}
