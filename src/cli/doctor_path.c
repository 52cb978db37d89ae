// Facts in, findings out. A stream that reaches no browser, or loses events, is FAIL; what works
// and could be better is WARN. What depends on something that failed before is not judged.
#include "cli/doctor_path.h"

#include <stdio.h>

#include "cli/doctor_hops.h"
#include "client/policy.h"
#include "client/probe.h"

enum { LATE_WARN_MS = 1000, HEARTBEAT_WATCH_MS = 20 * 1000 };

typedef const struct doctor_path facts;

void doctor_path_init(struct doctor_path *path, const struct mem *mem) {
    *path = (struct doctor_path){.head_ms = -1, .first_byte_ms = -1};
    buf_init(&path->head, mem, PROBE_HEAD_MAX);
}

void doctor_path_finish(struct doctor_path *path) {
    buf_finish(&path->head);
}

bool doctor_path_tested(facts *path) {
    return path->reached || path->untrusted;
}

static struct bytes field(facts *path, const char *name) {
    return probe_field(buf_bytes(&path->head), name);
}

// The advice of those who are known to stand there, or what helps in general.
static void advise(facts *path, struct findings *findings, enum trouble trouble) {
    const struct doctor_hop *hops[DOCTOR_HOPS_MAX];
    size_t count = doctor_hops_find(buf_bytes(&path->head), hops);
    bool known = false;
    for (size_t i = 0; i < count; i++) {
        if (hops[i]->advice[trouble]) {
            findings_advise(findings, "%s", hops[i]->advice[trouble]);
            known = true;
        }
    }
    if (!known) {
        findings_advise(findings, "%s", doctor_hops_general(trouble));
    }
}

static bool has_word(struct bytes value, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= value.len; i++) {
        if (strncasecmp(value.at + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_hops(facts *path, struct findings *findings) {
    const struct doctor_hop *hops[DOCTOR_HOPS_MAX];
    size_t count = doctor_hops_find(buf_bytes(&path->head), hops);
    char names[FINDING_TEXT_MAX / 2] = "";
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(names);
        snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "", hops[i]->name);
    }
    if (count) {
        findings_add(findings, FINDING_OK, "hops", "On the way there is %s.", names);
    }
}

static const char *status_means(long status) {
    switch (status) {
    case 401:
    case 403:
        return "the listener may not listen; give its token with --header 'Authorization: Bearer "
               "...'";
    case 404:
        return "there is no such path; is it the address of the server, and does the proxy forward "
               "/events?";
    case 406:
        return "the request header Accept did not arrive as it was sent";
    case 502:
    case 503:
        return "the proxy found no server behind it, or the server is full or draining";
    case 504:
    case 524:
        return "the proxy waited for the server in vain";
    default:
        return status >= 300 && status < 400 ? "it has moved; ask for the new URL"
                                             : "an event stream begins with 200";
    }
}

// Whether there is a stream to judge any further.
static bool judge_status(facts *path, struct findings *findings) {
    struct bytes type = field(path, "content-type");
    if (path->untrusted) {
        findings_add(findings, FINDING_FAIL, "certificate",
                     "The certificate is not trusted: %s. An EventSource fails on it without a "
                     "word.",
                     path->reason);
        findings_advise(findings,
                        "Have whoever ends TLS there send a certificate of this name that has not "
                        "expired, with the whole chain behind it. For an authority of your own: "
                        "--cacert FILE, and it must be known to browsers too.");
        return false;
    }
    if (!path->reached) {
        findings_add(findings, FINDING_FAIL, "reach", "There is no answer: %s.", path->reason);
        findings_advise(findings, "Check the address, and that the server runs.%s",
                        path->https
                            ? " One that wants a certificate of each client "
                              "(--tls-client-ca) breaks off like this, too; doctor has none."
                            : "");
        return false;
    }
    if (path->status == 0) {
        return true; // held back, which is for judge_delivery to say
    }
    if (path->status != 200) {
        struct bytes where = field(path, "location");
        findings_add(findings, FINDING_FAIL, "status",
                     "The answer is %ld: %s%s%.*s. An EventSource gives up for ever on it.",
                     path->status, status_means(path->status), where.len ? ": " : "",
                     (int)(where.len > 300 ? 300 : where.len), where.len ? where.at : "");
        findings_advise(findings, "%s",
                        path->status >= 500
                            ? "Look at the proxy's log, and whether it reaches the server (a "
                              "health check on /readyz)."
                            : "Ask the server itself, without the proxy, to see who says so.");
        return false;
    }
    if (!policy_is_event_stream(type)) {
        findings_add(findings, FINDING_FAIL, "content-type",
                     "The answer is \"%.*s\" and not text/event-stream, so an EventSource gives "
                     "up for ever.",
                     (int)(type.len > 200 ? 200 : type.len), type.at);
        findings_advise(findings, "Check that the URL is that of a stream, and that nothing "
                                  "rewrites Content-Type.");
        return false;
    }
    findings_add(findings, FINDING_OK, "status", "The answer is 200 and an event stream.");
    return true;
}

static void judge_version(facts *path, struct findings *findings) {
    if (path->version == 10) {
        findings_add(findings, FINDING_WARN, "version",
                     "The answer comes in HTTP/1.0, which the server never sends first: somebody "
                     "on the way is old, or configured so, and is likely to hold back streams.");
        advise(path, findings, TROUBLE_VERSION);
    } else if (path->version == 11 && path->https) {
        findings_add(findings, FINDING_WARN, "version",
                     "HTTP/1.1 over TLS: a browser opens six connections to a host, over all its "
                     "tabs, and the seventh stream waits for ever.");
        advise(path, findings, TROUBLE_VERSION);
    } else if (path->version == 11) {
        findings_add(findings, FINDING_OK, "version",
                     "HTTP/1.1. A browser opens six such connections to a host; HTTP/2, which "
                     "takes TLS, has room for about a hundred streams.");
    } else if (path->version) {
        findings_add(findings, FINDING_OK, "version", "HTTP/%d.", path->version / 10);
    }
}

static void judge_headers(facts *path, struct findings *findings) {
    struct bytes control = field(path, "cache-control");
    if (field(path, "content-length").len) {
        findings_add(findings, FINDING_FAIL, "headers",
                     "The stream has a Content-Length: somebody has waited for its end.");
        advise(path, findings, TROUBLE_BUFFERING);
    } else if (!has_word(control, "no-store") || !has_word(control, "no-transform")) {
        findings_add(findings, FINDING_WARN, "headers",
                     "Cache-Control arrives as \"%.*s\", without the server's no-store and "
                     "no-transform: whoever comes after may cache or compress.",
                     (int)(control.len > 200 ? 200 : control.len), control.at);
        findings_advise(findings, "Let the server's Cache-Control pass unchanged.");
    } else {
        findings_add(findings, FINDING_OK, "headers", "Cache-Control arrives as it was sent.");
    }
}

static void judge_held_back(facts *path, struct findings *findings) {
    struct bytes coding = field(path, "content-encoding");
    if (coding.len && path->plain == DOCTOR_YES) {
        findings_add(findings, FINDING_FAIL, "compression",
                     "Events are compressed (%.*s) and kept back until a block is full; without "
                     "compression each comes at once.",
                     (int)(coding.len > 40 ? 40 : coding.len), coding.at);
        advise(path, findings, TROUBLE_COMPRESSION);
        return;
    }
    if (path->pushed) {
        findings_add(findings, FINDING_FAIL, "buffering",
                     "Somebody collects events%s: one came only after about %llu bytes more had "
                     "been published.",
                     path->status == 0 || path->head_ms > path->waited_ms
                         ? ", and even the head of the answer"
                         : "",
                     (unsigned long long)path->pushed_bytes);
    } else {
        findings_add(findings, FINDING_FAIL, path->status ? "delivery" : "buffering",
                     "Nothing that was published came%s, not even after %llu bytes.",
                     path->status ? "" : ", and no head either",
                     (unsigned long long)path->pushed_bytes);
        findings_advise(findings, "Either somebody collects the stream, or it goes to another "
                                  "server or topic than the publishing (see --publish-url, "
                                  "--topic).");
    }
    advise(path, findings, TROUBLE_BUFFERING);
}

static void judge_passive(facts *path, struct findings *findings) {
    findings_add(findings, FINDING_SKIP, "delivery",
                 "Nothing was published (%s), so only heartbeats were watched.",
                 path->publish_reason);
    if (path->first_byte_ms < 0) {
        findings_add(findings, FINDING_FAIL, "buffering",
                     "Not even the first bytes of the stream came within %.1f s; the server sends "
                     "them with the head.",
                     (double)path->waited_ms / 1000);
        advise(path, findings, TROUBLE_BUFFERING);
    }
}

static void judge_delivery(facts *path, struct findings *findings) {
    struct bytes coding = field(path, "content-encoding");
    if (!path->published) {
        judge_passive(path, findings);
        return;
    }
    if (path->pushed || path->nothing) {
        judge_held_back(path, findings);
        return;
    }
    if (path->came < path->sent) {
        findings_add(findings, FINDING_FAIL, "delivery",
                     "The stream ended before an event came that was published.");
        findings_advise(findings, "A server that is full (--max-connections) or draining ends "
                                  "streams, too.");
        return;
    }
    if (path->sent == 0) {
        return;
    }
    if (path->late_ms > LATE_WARN_MS) {
        findings_add(findings, FINDING_WARN, "delivery",
                     "Events come up to %.1f s after they were published: somebody sends them on "
                     "by the clock.",
                     (double)path->late_ms / 1000);
        advise(path, findings, TROUBLE_BUFFERING);
    } else {
        findings_add(findings, FINDING_OK, "delivery",
                     "Each of %u events came by itself, at most %lld ms after it was published.",
                     path->came, (long long)path->late_ms);
    }
    if (path->first_byte_ms < 0 || path->first_byte_ms > path->waited_ms) {
        findings_add(findings, FINDING_WARN, "first-bytes",
                     "The first bytes of the stream came only with the first event: somebody keeps "
                     "back what comes with the head, which after a break may be events.");
        advise(path, findings, TROUBLE_BUFFERING);
    }
    if (coding.len) {
        findings_add(findings, FINDING_OK, "compression",
                     "Compressed (%.*s), and flushed after each event.",
                     (int)(coding.len > 40 ? 40 : coding.len), coding.at);
    }
}

static bool says_cached(facts *path) {
    struct bytes age = field(path, "age"), cache = field(path, "x-cache");
    return (age.len && !bytes_is(age, "0")) || has_word(cache, "hit");
}

static void judge_caching(facts *path, struct findings *findings) {
    static const char *const texts[] = {
        [SECOND_HELD_BACK] = "A second listener of the same URL gets nothing while the first one "
                             "listens: a cache makes one request of the two.",
        [SECOND_STALE] = "A second listener of the same URL gets events from before it came: they "
                         "come from a cache.",
        [SECOND_MISSED] = "A second listener of the same URL does not get what is published then.",
    };
    if (says_cached(path)) {
        findings_add(findings, FINDING_FAIL, "caching",
                     "The stream comes from a cache, as its head says (Age, X-Cache).");
    } else if (path->second == SECOND_REFUSED) {
        findings_add(findings, FINDING_FAIL, "caching",
                     "A second listener of the same URL is answered with %ld.",
                     path->second_status);
        findings_advise(findings, "Look for a limit of connections for each address.");
        return;
    } else if (path->second == SECOND_FINE) {
        findings_add(findings, FINDING_OK, "caching",
                     "A second listener of the same URL has a stream of its own.");
        return;
    } else if (path->second != SECOND_UNKNOWN) {
        findings_add(findings, FINDING_FAIL, "caching", "%s", texts[path->second]);
    } else {
        return;
    }
    advise(path, findings, TROUBLE_CACHING);
}

static void judge_resuming(facts *path, struct findings *findings) {
    if (path->resumes == DOCTOR_UNKNOWN) {
        return;
    }
    if (path->resumes == DOCTOR_YES) {
        findings_add(findings, FINDING_OK, "resume",
                     "A listener that comes back with Last-Event-ID gets what it missed.");
    } else if (path->resumes_by_query == DOCTOR_YES) {
        findings_add(findings, FINDING_FAIL, "resume",
                     "The request header Last-Event-ID does not reach the server: a browser that "
                     "reconnects misses what came meanwhile. The query parameter last_event_id "
                     "does.");
        advise(path, findings, TROUBLE_CURSOR);
    } else {
        findings_add(findings, FINDING_FAIL, "resume",
                     "A listener that comes back does not get what it missed, neither with "
                     "Last-Event-ID nor with last_event_id.");
        findings_advise(findings, "Either both are stripped, or the server keeps no history "
                                  "(--history-count), or another server has answered, which knows "
                                  "nothing of the first one's events.");
    }
    if (path->resumes == DOCTOR_YES && path->resumes_by_query == DOCTOR_NO) {
        findings_add(findings, FINDING_WARN, "resume-query",
                     "The query parameter last_event_id does not reach the server; scripts that "
                     "cannot set headers need it.");
        findings_advise(findings, "Have the query string forwarded whole.");
    }
}

static void judge_origin(facts *path, struct findings *findings) {
    enum finding_level bad = path->origin_chosen ? FINDING_FAIL : FINDING_WARN;
    if (path->origin_status == 0) {
        return;
    }
    if (path->origin_status != 200) {
        findings_add(findings, bad, "origin",
                     "A request from a page of %s is answered with %ld, without an Origin it is "
                     "not.",
                     path->origin, path->origin_status);
        findings_advise(findings, "Look for a rule on the request header Origin.");
    } else if (path->origin_allowed == DOCTOR_YES) {
        findings_add(findings, FINDING_OK, "origin", "Pages of %s may listen.", path->origin);
    } else if (path->origin_chosen) {
        findings_add(findings, FINDING_FAIL, "origin",
                     "Pages of %s may not listen: Access-Control-Allow-Origin does not say so.",
                     path->origin);
        findings_advise(findings,
                        "freshet serve --cors-origin %s; and see that the proxy forwards Origin, "
                        "and leaves Access-Control-* alone.",
                        path->origin);
    } else {
        findings_add(findings, FINDING_OK, "origin",
                     "Pages of just any other origin may not listen. --origin tests one that "
                     "should.");
    }
    if (path->origin_allowed == DOCTOR_YES && path->preflight_allowed == DOCTOR_NO) {
        findings_add(findings, FINDING_WARN, "preflight",
                     "OPTIONS is answered with %ld and does not allow Last-Event-ID: an "
                     "EventSource works, scripts that use fetch do not resume.",
                     path->preflight_status);
        findings_advise(findings, "Have OPTIONS forwarded to the server.");
    }
}

static void judge_cut(facts *path, struct findings *findings) {
    double silence = (double)path->silence_ms / 1000, lived = (double)path->lived_ms / 1000;
    // Something had come shortly before: that was no limit for silence.
    if (path->silence_ms * 4 < path->lived_ms) {
        findings_add(findings, FINDING_WARN, "idle",
                     "The stream was ended %.1f s after it began, although something had come "
                     "%.1f s before%s%s. That is a limit for whole responses, or the server's "
                     "--max-age.",
                     lived, silence, path->cut_reason[0] ? ": " : "", path->cut_reason);
    } else {
        findings_add(findings, FINDING_FAIL, "idle",
                     "The stream was cut after %.1f s of silence%s%s.", silence,
                     path->cut_reason[0] ? ": " : "", path->cut_reason);
    }
    advise(path, findings, TROUBLE_IDLE);
}

static void judge_idle(facts *path, struct findings *findings) {
    double watched = (double)path->watched_ms / 1000;
    bool held_back = path->pushed || path->nothing;
    if (path->cut) {
        judge_cut(path, findings);
    } else if (path->watched_ms == 0) {
        return;
    } else if (path->after_idle == DOCTOR_NO) {
        findings_add(findings, FINDING_FAIL, "idle",
                     "After %.1f s of silence an event did not come, although nobody has closed "
                     "the stream: somebody on the way has forgotten it.",
                     watched);
        advise(path, findings, TROUBLE_IDLE);
    } else if (path->heartbeats == 0 && path->watched_ms >= HEARTBEAT_WATCH_MS && !held_back) {
        findings_add(findings, FINDING_WARN, "idle",
                     "No heartbeat came in %.1f s, so nothing keeps a quiet stream alive.",
                     watched);
        findings_advise(findings, "freshet serve --heartbeat 15s");
    } else {
        findings_add(findings, FINDING_OK, "idle",
                     "A quiet stream was still open after %.1f s, in which %llu heartbeat%s came.",
                     watched, (unsigned long long)path->heartbeats,
                     path->heartbeats == 1 ? "" : "s");
    }
}

void doctor_path_judge(facts *path, struct findings *findings) {
    if (path->reached) {
        judge_hops(path, findings);
    }
    if (!judge_status(path, findings)) {
        return;
    }
    if (path->garbled) {
        findings_add(findings, FINDING_FAIL, "format",
                     "What comes is no event stream: a line or an event beyond all bounds.");
    }
    if (path->status) {
        judge_version(path, findings);
        judge_headers(path, findings);
    }
    judge_delivery(path, findings);
    judge_caching(path, findings);
    judge_resuming(path, findings);
    judge_origin(path, findings);
    judge_idle(path, findings);
}
