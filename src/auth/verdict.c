// The status says yes or no; a JSON object in the body may say less than yes, and for how long. Members
// that are not known mean nothing; one that is known and is not what it should be spoils the whole.
#include "auth/verdict.h"

#include "base/error.h"
#include "base/json.h"
#include "http/token.h"
#include "hub/topic.h"

enum { DEPTH_MAX = 16, LASTS_MAX_S = 400 * 86400 };

enum member { SUBSCRIBE, PUBLISH, SUB, EXPIRES_IN, MEMBERS };

static const char *const members[MEMBERS] = {
    [SUBSCRIBE] = "subscribe", [PUBLISH] = "publish", [SUB] = "sub", [EXPIRES_IN] = "expires_in"};

static const char no_memory[] = "there is not enough memory to read its answer";

static void fail(struct verdict *verdict, const char *problem) {
    *verdict = (struct verdict){.kind = VERDICT_UNKNOWN, .problem = problem};
}

// "max-age=60", or what forbids to keep it.
static void read_directive(struct bytes directive, uint64_t *seconds, bool *forbidden) {
    static const char age[] = "max-age=";
    size_t len = sizeof(age) - 1;
    uint64_t value;
    if (bytes_equal_nocase(directive, bytes_of("no-store")) ||
        bytes_equal_nocase(directive, bytes_of("no-cache"))) {
        *forbidden = true;
    } else if (directive.len > len &&
               bytes_equal_nocase(bytes_make(directive.at, len), bytes_of(age)) &&
               bytes_to_u64(bytes_make(directive.at + len, directive.len - len), UINT64_MAX,
                            &value)) {
        *seconds = value < *seconds ? value : *seconds; // of several the most careful
    }
}

static int64_t keep_ms(struct bytes cache_control) {
    uint64_t seconds = UINT64_MAX;
    bool forbidden = false;
    struct bytes directive;
    while (http_list_next(&cache_control, ',', &directive)) {
        read_directive(directive, &seconds, &forbidden);
    }
    if (forbidden || seconds == UINT64_MAX) {
        return 0;
    }
    return seconds < VERDICT_KEEP_MAX_MS / 1000 ? (int64_t)seconds * 1000 : VERDICT_KEEP_MAX_MS;
}

// The members that count, as slices; NULL, or what is wrong.
static const char *find_members(struct bytes body, struct bytes found[MEMBERS]) {
    struct json_iter iter;
    struct bytes object, value;
    struct buf key;
    const char *problem = NULL;
    buf_init(&key, &mem_libc, 0);
    if (json_validate(body, DEPTH_MAX, &object) || json_object_init(&iter, object)) {
        return "it answered 200 with a body that is no JSON object";
    }
    int rc = 0;
    while (!problem && (rc = json_object_next(&iter, &key, &value)) == 1) {
        for (int i = 0; i < MEMBERS; i++) {
            if (bytes_is(buf_bytes(&key), members[i])) {
                problem = found[i].at ? "its answer says the same thing twice" : NULL;
                found[i] = value;
            }
        }
    }
    buf_finish(&key);
    return rc < 0 ? no_memory : problem;
}

static const char *grant_name(struct grants *grants, struct bytes name, unsigned right) {
    if (topic_problem(name)) {
        return "its answer grants what is no topic and no pattern";
    }
    switch (grants_add(grants, name, right)) {
    case 0:
        return NULL;
    case ERR_TOO_LARGE:
        return "its answer grants more than 1024 names";
    default:
        return no_memory;
    }
}

static const char *grant_listed(struct grants *grants, struct bytes array, unsigned right) {
    struct json_iter iter;
    struct bytes value;
    struct buf name;
    const char *problem = NULL;
    if (json_array_init(&iter, array)) {
        return "its answer has something else than a list in subscribe or publish";
    }
    buf_init(&name, &mem_libc, 0);
    while (!problem && json_array_next(&iter, &value) == 1) {
        buf_clear(&name);
        int rc = json_kind(value) == JSON_STRING ? json_string_decode(value, &name) : ERR_INVALID;
        problem = rc == ERR_NOMEM ? no_memory
                  : rc            ? "its answer lists something else than names"
                                  : grant_name(grants, buf_bytes(&name), right);
    }
    buf_finish(&name);
    return problem;
}

// What was asked for, and of a right that the answer says nothing about.
static const char *grant_asked(struct grants *grants, const struct grants *asked,
                               const struct bytes found[MEMBERS]) {
    const char *problem = NULL;
    for (size_t i = 0; i < asked->count && !problem; i++) {
        const struct grant *item = &asked->items[i];
        enum member member = item->rights == RIGHT_PUBLISH ? PUBLISH : SUBSCRIBE;
        struct bytes name = bytes_make(asked->text.at + item->at, item->len);
        problem = found[member].at ? NULL : grant_name(grants, name, item->rights);
    }
    return problem;
}

static const char *take_subject(struct claims *claims, struct bytes value, struct bytes known) {
    int rc;
    if (!value.at) {
        rc = buf_append(&claims->subject, known.at, known.len);
    } else if (json_kind(value) != JSON_STRING) {
        return "its answer has a sub that is no string";
    } else {
        rc = json_string_decode(value, &claims->subject);
    }
    if (rc == 0 && claims->subject.len > SUBJECT_MAX) {
        return "its answer has a sub of more than 256 bytes";
    }
    return rc ? no_memory : NULL;
}

static const char *take_end(struct claims *claims, struct verdict *verdict, struct bytes value,
                            int64_t leeway_ms, int64_t now_ms) {
    uint64_t seconds;
    if (!value.at) {
        return NULL;
    }
    if (!bytes_to_u64(value, LASTS_MAX_S, &seconds) || seconds == 0) {
        return "its answer has an expires_in that is no whole number of seconds";
    }
    int64_t ms = (int64_t)seconds * 1000;
    claims->expires_ms = now_ms + ms - leeway_ms; // its clock is not in it
    verdict->keep_ms = verdict->keep_ms < ms ? verdict->keep_ms : ms;
    return NULL;
}

static const char *fill(struct claims *claims, struct verdict *verdict,
                        const struct bytes found[MEMBERS], const struct verdict_question *question,
                        int64_t now_ms) {
    const char *problem = grant_asked(&claims->grants, question->names, found);
    if (!problem && found[SUBSCRIBE].at) {
        problem = grant_listed(&claims->grants, found[SUBSCRIBE], RIGHT_SUBSCRIBE);
    }
    if (!problem && found[PUBLISH].at) {
        problem = grant_listed(&claims->grants, found[PUBLISH], RIGHT_PUBLISH);
    }
    problem = problem ? problem : take_subject(claims, found[SUB], question->subject);
    return problem ? problem
                   : take_end(claims, verdict, found[EXPIRES_IN], question->leeway_ms, now_ms);
}

static void allow(struct verdict *verdict, const struct bytes found[MEMBERS],
                  const struct verdict_question *question, int64_t now_ms) {
    struct claims claims = {0};
    grants_init(&claims.grants);
    buf_init(&claims.subject, &mem_libc, 0);
    const char *problem = fill(&claims, verdict, found, question, now_ms);
    if (problem) {
        claims_finish(&claims);
        fail(verdict, problem);
        return;
    }
    verdict->kind = VERDICT_YES;
    verdict->identity = identity_create(&claims);
    if (!verdict->identity) {
        fail(verdict, no_memory);
    }
}

void verdict_assume(struct verdict *verdict, const struct verdict_question *question) {
    const struct bytes nothing[MEMBERS] = {{0}};
    *verdict = (struct verdict){0};
    allow(verdict, nothing, question, 0);
}

void verdict_read(struct verdict *verdict, const struct verdict_answer *answer,
                  const struct verdict_question *question, int64_t now_ms) {
    struct bytes found[MEMBERS] = {{0}};
    const char *problem;
    *verdict = (struct verdict){.keep_ms = keep_ms(answer->cache_control)};
    switch (answer->status) {
    case 200:
    case 204:
        problem = answer->body.len ? find_members(answer->body, found) : NULL;
        if (problem) {
            fail(verdict, problem);
        } else {
            allow(verdict, found, question, now_ms);
        }
        break;
    case 401:
        verdict->kind = VERDICT_WHO;
        break;
    case 403:
        verdict->kind = VERDICT_NO;
        break;
    default:
        fail(verdict, "its answer is none of 200, 204, 401 and 403");
    }
}

void verdict_finish(struct verdict *verdict) {
    identity_unref(verdict->identity);
    verdict->identity = NULL;
}
