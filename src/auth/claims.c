// From claims to rights. A known claim of the wrong kind, or one that comes twice, makes the token
// useless as a whole: guessing what was meant would be somebody's hole.
#include "auth/claims.h"

#include "auth/template.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/topic.h"

enum { TIME_DIGITS_MAX = 12 };

struct reading {
    struct claims *claims;
    const struct claims_policy *policy;
    struct bytes object;
    int64_t now_ms;
    const char *problem; // NULL with failed: there was no memory
    bool failed;
    struct buf room; // for one text at a time
};

// The claims that are known, as JSON; at NULL: not there.
struct known {
    struct bytes sub, iss, aud, exp, nbf, rights;
};

static void fail(struct reading *reading, const char *problem) {
    if (!reading->failed) {
        reading->failed = true;
        reading->problem = problem;
    }
}

static void fail_by(struct reading *reading, int rc, const char *problem) {
    if (rc) {
        fail(reading, rc == ERR_NOMEM ? NULL : problem);
    }
}

static struct bytes *place_of(struct known *known, const struct claims_policy *policy,
                              struct bytes name) {
    return bytes_is(name, "sub")            ? &known->sub
           : bytes_is(name, "iss")          ? &known->iss
           : bytes_is(name, "aud")          ? &known->aud
           : bytes_is(name, "exp")          ? &known->exp
           : bytes_is(name, "nbf")          ? &known->nbf
           : bytes_is(name, policy->member) ? &known->rights
                                            : NULL;
}

static void find_known(struct reading *reading, struct known *known) {
    struct json_iter iter;
    struct bytes value;
    int rc = json_object_init(&iter, reading->object);
    *known = (struct known){0};
    while (rc == 0 && (rc = json_object_next(&iter, &reading->room, &value)) == 1) {
        struct bytes *place = place_of(known, reading->policy, buf_bytes(&reading->room));
        if (place && place->at) {
            fail(reading, "the token says the same thing twice");
        } else if (place) {
            *place = value;
        }
        rc = 0;
    }
    fail_by(reading, rc, "the token's claims are no object");
}

// Whole seconds since 1970; a fraction is dropped.
static bool read_time(struct bytes number, int64_t *ms) {
    const char *dot = number.len ? memchr(number.at, '.', number.len) : NULL;
    struct bytes whole = dot ? bytes_make(number.at, (size_t)(dot - number.at)) : number;
    struct bytes rest = dot ? bytes_make(dot + 1, number.len - whole.len - 1) : whole;
    uint64_t seconds, fraction;
    if (whole.len > TIME_DIGITS_MAX || rest.len > TIME_DIGITS_MAX ||
        !bytes_to_u64(whole, UINT64_MAX, &seconds) || !bytes_to_u64(rest, UINT64_MAX, &fraction)) {
        return false;
    }
    *ms = (int64_t)seconds * 1000;
    return true;
}

static void check_times(struct reading *reading, const struct known *known) {
    int64_t leeway = reading->policy->leeway_ms, expires = 0, begins = 0;
    if ((known->exp.at && !read_time(known->exp, &expires)) ||
        (known->nbf.at && !read_time(known->nbf, &begins))) {
        fail(reading, "the token's times are not seconds since 1970");
        return;
    }
    if (known->exp.at && reading->now_ms >= expires + leeway) {
        fail(reading, "the token has expired; get a new one");
    }
    if (known->nbf.at && reading->now_ms + leeway < begins) {
        fail(reading, "the token is not valid yet; compare the clocks");
    }
    // A token that expired in 1970 has been refused, so 0 can stand for never.
    reading->claims->expires_ms = expires;
}

static bool is_text_of(struct reading *reading, struct bytes value, const struct texts *texts) {
    buf_clear(&reading->room);
    if (json_kind(value) != JSON_STRING) {
        return false;
    }
    fail_by(reading, json_string_decode(value, &reading->room), "the token holds a bad text");
    for (size_t i = 0; i < texts->count; i++) {
        if (bytes_is(buf_bytes(&reading->room), texts->items[i])) {
            return true;
        }
    }
    return false;
}

static void check_issuer(struct reading *reading, struct bytes iss) {
    const struct texts *wanted = reading->policy->issuers;
    if (wanted && wanted->count && (!iss.at || !is_text_of(reading, iss, wanted))) {
        fail(reading, "the token's issuer is not one that is accepted here");
    }
}

static void check_audience(struct reading *reading, struct bytes aud) {
    const struct texts *wanted = reading->policy->audiences;
    struct json_iter iter;
    struct bytes value;
    if (!wanted || !wanted->count) {
        return;
    }
    bool found = aud.at && is_text_of(reading, aud, wanted);
    if (aud.at && json_kind(aud) == JSON_ARRAY && json_array_init(&iter, aud) == 0) {
        while (!found && json_array_next(&iter, &value) == 1) {
            found = is_text_of(reading, value, wanted);
        }
    }
    if (!found) {
        fail(reading, "the token is meant for somebody else");
    }
}

static void take_subject(struct reading *reading, struct bytes sub) {
    struct buf *subject = &reading->claims->subject;
    if (!sub.at) {
        return;
    }
    int rc = json_kind(sub) == JSON_STRING ? json_string_decode(sub, subject) : ERR_INVALID;
    if (rc == 0 && bytes_have_control(buf_bytes(subject))) {
        rc = ERR_INVALID;
    }
    fail_by(reading, rc, "the token's subject is not a text of at most 256 bytes");
}

// A template that these claims cannot fill grants nothing.
static void grant(struct reading *reading, struct bytes text, enum right right) {
    struct buf *room = &reading->room;
    size_t start = room->len;
    int rc = template_problem(text) ? ERR_INVALID : template_fill(text, reading->object, room);
    if (rc == 0) {
        rc = grants_add(&reading->claims->grants, bytes_make(room->at + start, room->len - start),
                        right);
    }
    if (rc != ERR_NOT_FOUND) {
        fail_by(reading, rc, "the token grants too much, or what is no topic and no pattern");
    }
    room->len = start;
}

static void grant_settings(struct reading *reading, const struct texts *templates,
                           enum right right) {
    buf_clear(&reading->room);
    for (size_t i = 0; templates && i < templates->count; i++) {
        grant(reading, bytes_of(templates->items[i]), right);
    }
}

static void grant_array(struct reading *reading, struct bytes array, enum right right) {
    struct json_iter iter;
    struct bytes value;
    struct buf name;
    if (json_kind(array) != JSON_ARRAY || json_array_init(&iter, array)) {
        fail(reading, "the token's rights are not lists of topics");
        return;
    }
    buf_init(&name, &mem_libc, TOPIC_NAME_MAX + CLAIM_VALUE_MAX);
    while (!reading->failed && json_array_next(&iter, &value) == 1) {
        buf_clear(&name);
        buf_clear(&reading->room);
        int rc = json_kind(value) == JSON_STRING ? json_string_decode(value, &name) : ERR_INVALID;
        fail_by(reading, rc, "the token grants what is no topic and no pattern");
        if (rc == 0) {
            grant(reading, buf_bytes(&name), right);
        }
    }
    buf_finish(&name);
}

static void take_right(struct reading *reading, struct bytes name, struct bytes value) {
    if (bytes_is(name, "subscribe")) {
        grant_array(reading, value, RIGHT_SUBSCRIBE);
    } else if (bytes_is(name, "publish")) {
        grant_array(reading, value, RIGHT_PUBLISH);
    } else if (bytes_is(name, "admin") && json_kind(value) == JSON_BOOL) {
        reading->claims->admin = bytes_is(value, "true");
    } else if (bytes_is(name, "admin")) {
        fail(reading, "`admin` is true or false in a token");
    }
}

static void take_rights(struct reading *reading, struct bytes rights) {
    struct json_iter iter;
    struct bytes value;
    struct buf name;
    if (!rights.at) {
        return;
    }
    if (json_kind(rights) != JSON_OBJECT || json_object_init(&iter, rights)) {
        fail(reading, "the token's rights are no object");
        return;
    }
    buf_init(&name, &mem_libc, 0);
    int rc = 0;
    while (!reading->failed && (rc = json_object_next(&iter, &name, &value)) == 1) {
        take_right(reading, buf_bytes(&name), value);
    }
    fail_by(reading, rc < 0 ? rc : 0, "the token's rights cannot be read");
    buf_finish(&name);
}

bool claims_read(struct claims *claims, struct bytes object, const struct claims_policy *policy,
                 int64_t now_ms, const char **problem) {
    struct reading reading = {
        .claims = claims, .policy = policy, .object = object, .now_ms = now_ms};
    struct known known;
    *claims = (struct claims){0};
    grants_init(&claims->grants);
    buf_init(&claims->subject, &mem_libc, SUBJECT_MAX);
    buf_init(&reading.room, &mem_libc, 0);
    find_known(&reading, &known);
    check_times(&reading, &known);
    check_issuer(&reading, known.iss);
    check_audience(&reading, known.aud);
    take_subject(&reading, known.sub);
    if (!reading.failed) {
        take_rights(&reading, known.rights);
        grant_settings(&reading, policy->subscribe, RIGHT_SUBSCRIBE);
        grant_settings(&reading, policy->publish, RIGHT_PUBLISH);
    }
    buf_finish(&reading.room);
    *problem = reading.problem;
    return !reading.failed;
}

void claims_finish(struct claims *claims) {
    grants_finish(&claims->grants);
    buf_finish(&claims->subject);
}

// Whether the text can be a segment, or a part of one, and nothing more.
static bool is_plain(struct bytes text) {
    return text.len && text.len <= CLAIM_VALUE_MAX && !memchr(text.at, '/', text.len) &&
           !memchr(text.at, '*', text.len) && !bytes_have_control(text);
}

static int append_value(struct bytes value, struct buf *out) {
    size_t start = out->len;
    uint64_t number;
    int rc = ERR_NOT_FOUND;
    if (json_kind(value) == JSON_STRING) {
        rc = json_string_decode(value, out);
    } else if (json_kind(value) == JSON_NUMBER && bytes_to_u64(value, UINT64_MAX, &number)) {
        rc = buf_append(out, value.at, value.len);
    }
    if (rc == 0 && !is_plain(bytes_make(out->at + start, out->len - start))) {
        out->len = start;
        rc = ERR_NOT_FOUND;
    }
    return rc;
}

int claims_segment(struct bytes object, struct bytes name, struct buf *out) {
    struct json_iter iter;
    struct bytes value, found = {0};
    struct buf key;
    buf_init(&key, &mem_libc, 0);
    int rc = json_object_init(&iter, object);
    while (rc == 0 && (rc = json_object_next(&iter, &key, &value)) == 1) {
        if (bytes_equal(buf_bytes(&key), name)) {
            // Said twice, it says nothing.
            rc = found.at ? ERR_NOT_FOUND : 0;
            found = value;
        } else {
            rc = 0;
        }
    }
    buf_finish(&key);
    rc = rc == 0 && !found.at ? ERR_NOT_FOUND : rc;
    return rc ? rc : append_value(found, out);
}
