// One table of matters: questions that stand in line, are at the backend, or were answered and are kept.
// A matter is found by the digest of all that the backend is told, so an answer never serves anybody for
// whom it might have been another one; and no cookie is kept longer than the question takes.
#include "server/auth_desk.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/map.h"
#include "base/thread.h"
#include "client/asker.h"

enum { DIGEST = 32, TELL_MS = 10000, IDLE_MS = 60000 };

enum matter_state { QUEUED, UNDER_WAY, KEPT };

struct matter {
    struct map_node node;
    struct list link; // among the queued, those under way, or the kept, the oldest first
    struct auth_desk *desk;
    struct list waiting;    // of struct auth_question
    struct auth_text text;  // of the first who asked; empty once it is answered
    struct verdict verdict; // once it is answered
    int64_t until;          // by when it must be answered; then until when it is kept. Monotonic
    enum matter_state state;
    unsigned char digest[DIGEST];
};

struct auth_desk {
    struct auth_desk_settings settings;
    struct asker *asker; // the thread's
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; // of all that follows
    bool ending;
    struct map matters;
    struct list queued, under_way, kept;
    size_t under_way_count, kept_count;
    struct auth_desk_counters counters;
    bool troubled; // the last answer was none
    int64_t told;  // when that was said last
};

static struct matter *matter_of(struct list *link) {
    return container_of(link, struct matter, link);
}

static bool same_digest(const struct map_node *node, const void *digest) {
    return memcmp(container_of(node, const struct matter, node)->digest, digest, DIGEST) == 0;
}

static uint64_t hash_of(const unsigned char digest[DIGEST]) {
    uint64_t hash;
    memcpy(&hash, digest, sizeof(hash));
    return hash;
}

// The body tells of the subject as well. Between the two there is a length, so that nothing can move
// from one to the other.
static int digest_of(const struct auth_text *text, unsigned char digest[DIGEST]) {
    uint64_t len = text->body.len;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool fine = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(md, &len, sizeof(len)) == 1 &&
                EVP_DigestUpdate(md, text->body.at, text->body.len) == 1 &&
                EVP_DigestUpdate(md, text->headers.at, text->headers.len) == 1 &&
                EVP_DigestFinal_ex(md, digest, NULL) == 1;
    EVP_MD_CTX_free(md);
    return fine ? 0 : ERR_NOMEM;
}

static void matter_destroy(struct matter *matter) {
    map_remove(&matter->desk->matters, &matter->node);
    list_remove(&matter->link);
    auth_text_finish(&matter->text);
    verdict_finish(&matter->verdict);
    free(matter);
}

static void drop_kept(struct matter *matter) {
    matter->desk->kept_count--;
    matter_destroy(matter);
}

static struct matter *matter_create(struct auth_desk *desk, struct auth_text *text,
                                    const unsigned char digest[DIGEST]) {
    struct matter *matter = calloc(1, sizeof(*matter));
    if (!matter) {
        return NULL;
    }
    matter->desk = desk;
    matter->state = QUEUED;
    matter->until = clock_mono_ms() + desk->settings.timeout_ms;
    list_init(&matter->waiting);
    list_init(&matter->link);
    memcpy(matter->digest, digest, DIGEST);
    if (map_insert(&desk->matters, &matter->node, hash_of(digest))) {
        free(matter);
        return NULL;
    }
    matter->text = *text;
    auth_text_init(text);
    list_push_back(&desk->queued, &matter->link);
    return matter;
}

// The answer that is kept for this question, if it still holds.
static bool answer_kept(struct matter *matter, struct auth_question *question) {
    if (matter->state != KEPT) {
        return false;
    }
    matter->desk->counters.kept++;
    question->answered(question, &matter->verdict);
    return true;
}

static struct matter *find(struct auth_desk *desk, const unsigned char digest[DIGEST]) {
    struct map_node *node = map_find(&desk->matters, hash_of(digest), same_digest, digest);
    struct matter *matter = node ? container_of(node, struct matter, node) : NULL;
    if (matter && matter->state == KEPT && matter->until <= clock_mono_ms()) {
        drop_kept(matter);
        return NULL;
    }
    return matter;
}

static int ask(struct auth_desk *desk, struct auth_question *question,
               const unsigned char digest[DIGEST]) {
    struct matter *matter = find(desk, digest);
    if (matter && answer_kept(matter, question)) {
        return 0;
    }
    if (desk->counters.waiting == desk->settings.waiting) {
        desk->counters.turned_away++;
        return ERR_TOO_LARGE;
    }
    if (matter) {
        desk->counters.shared++;
    } else {
        matter = matter_create(desk, &question->text, digest);
        if (!matter) {
            return ERR_NOMEM;
        }
        asker_wake(desk->asker);
    }
    list_push_back(&matter->waiting, &question->link);
    desk->counters.waiting++;
    return 0;
}

int auth_desk_ask(struct auth_desk *desk, struct auth_question *question) {
    unsigned char digest[DIGEST];
    list_init(&question->link);
    int rc = digest_of(&question->text, digest);
    if (rc == 0) {
        pthread_mutex_lock(&desk->lock);
        rc = ask(desk, question, digest);
        pthread_mutex_unlock(&desk->lock);
    }
    return rc;
}

bool auth_desk_leave(struct auth_desk *desk, struct auth_question *question) {
    pthread_mutex_lock(&desk->lock);
    bool waits = !list_empty(&question->link);
    if (waits) {
        list_remove(&question->link);
        desk->counters.waiting--;
    }
    pthread_mutex_unlock(&desk->lock);
    return waits;
}

void auth_desk_forget(struct auth_desk *desk) {
    pthread_mutex_lock(&desk->lock);
    while (!list_empty(&desk->kept)) {
        drop_kept(matter_of(desk->kept.next));
    }
    pthread_mutex_unlock(&desk->lock);
}

void auth_desk_count(struct auth_desk *desk, struct auth_desk_counters *out) {
    pthread_mutex_lock(&desk->lock);
    *out = desk->counters;
    pthread_mutex_unlock(&desk->lock);
}

// --- the desk's own thread, with the lock held ---

static void keep(struct matter *matter, int64_t now) {
    struct auth_desk *desk = matter->desk;
    auth_text_finish(&matter->text);
    if (desk->kept_count == desk->settings.kept) {
        drop_kept(matter_of(desk->kept.next));
    }
    matter->state = KEPT;
    matter->until = now + matter->verdict.keep_ms;
    list_remove(&matter->link);
    list_push_back(&desk->kept, &matter->link);
    desk->kept_count++;
}

static void tell(struct auth_desk *desk, const struct verdict *verdict, const char *problem) {
    int64_t now = clock_mono_ms();
    bool trouble = verdict->kind == VERDICT_UNKNOWN;
    desk->counters.failed += trouble;
    if (trouble && (!desk->told || now - desk->told >= TELL_MS)) {
        desk->told = now;
        log_write(LOG_WARN, "--auth-url cannot be asked: %s", problem);
    } else if (!trouble && desk->troubled) {
        desk->told = 0;
        log_write(LOG_INFO, "--auth-url answers again");
    }
    desk->troubled = trouble;
}

// Takes the verdict over; the matter may be gone afterwards.
static void settle(struct matter *matter, struct verdict *verdict) {
    struct auth_desk *desk = matter->desk;
    struct list *link;
    matter->verdict = *verdict;
    while ((link = list_pop_front(&matter->waiting))) {
        struct auth_question *question = container_of(link, struct auth_question, link);
        desk->counters.waiting--;
        question->answered(question, verdict);
    }
    if (verdict->keep_ms > 0 && desk->settings.kept) {
        keep(matter, clock_mono_ms());
    } else {
        matter_destroy(matter);
    }
}

static void fail(struct matter *matter, const char *problem) {
    struct verdict verdict = {.kind = VERDICT_UNKNOWN, .problem = problem};
    tell(matter->desk, &verdict, problem);
    settle(matter, &verdict);
}

// Without the lock: the text of what is under way does not change.
static void on_done(void *ctx, const struct asker_answer *answer) {
    struct matter *matter = ctx;
    struct auth_desk *desk = matter->desk;
    struct verdict verdict = {.kind = VERDICT_UNKNOWN, .problem = "it does not answer"};
    const struct verdict_answer said = {
        .status = answer->status, .cache_control = answer->cache_control, .body = answer->body};
    const struct verdict_question question = {.names = &matter->text.names,
                                              .subject = buf_bytes(&matter->text.subject),
                                              .leeway_ms = desk->settings.leeway_ms};
    if (!answer->problem) {
        verdict_read(&verdict, &said, &question, clock_wall_ms());
    }
    pthread_mutex_lock(&desk->lock);
    desk->under_way_count--;
    tell(desk, &verdict, answer->problem ? answer->problem : verdict.problem);
    settle(matter, &verdict);
    pthread_mutex_unlock(&desk->lock);
}

static void begin(struct matter *matter, int64_t now) {
    struct auth_desk *desk = matter->desk;
    struct asker_request request = {.url = desk->settings.url,
                                    .headers = buf_bytes(&matter->text.headers),
                                    .body = buf_bytes(&matter->text.body),
                                    .timeout_ms = matter->until - now,
                                    .max_answer = AUTH_ANSWER_MAX};
    if (asker_begin(desk->asker, &request, on_done, matter)) {
        fail(matter, "there is not enough memory");
        return;
    }
    desk->counters.asked++;
    matter->state = UNDER_WAY;
    list_remove(&matter->link);
    list_push_back(&desk->under_way, &matter->link);
    desk->under_way_count++;
}

// Sends on what stands in line, as far as there is room, and gives up what has stood there too long.
// Returns how long there is nothing to do here.
static int64_t attend(struct auth_desk *desk) {
    int64_t now = clock_mono_ms();
    while (!list_empty(&desk->queued)) {
        struct matter *matter = matter_of(desk->queued.next);
        if (matter->until <= now) {
            fail(matter, "more wait for it than it answers in --auth-timeout");
        } else if (desk->under_way_count < desk->settings.under_way) {
            begin(matter, now);
        } else {
            return matter->until - now;
        }
    }
    return IDLE_MS;
}

static void *run(void *ctx) {
    struct auth_desk *desk = ctx;
    pthread_mutex_lock(&desk->lock);
    while (!desk->ending) {
        int64_t ms = attend(desk);
        pthread_mutex_unlock(&desk->lock);
        asker_wait(desk->asker, ms);
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

// --- the main thread ---

bool auth_desk_possible(void) {
    return true;
}

int auth_desk_open(struct auth_desk **out, const struct auth_desk_settings *settings) {
    struct auth_desk *desk = calloc(1, sizeof(*desk));
    *out = NULL;
    if (!desk) {
        return ERR_NOMEM;
    }
    desk->settings = *settings;
    pthread_mutex_init(&desk->lock, NULL);
    map_init(&desk->matters, &mem_libc);
    list_init(&desk->queued);
    list_init(&desk->under_way);
    list_init(&desk->kept);
    int rc = asker_create(&desk->asker, &mem_libc);
    rc = rc ? rc : thread_start(&desk->thread, run, desk);
    desk->running = rc == 0;
    *out = desk;
    if (rc) {
        auth_desk_close(out);
    }
    return rc;
}

static void drop_all(struct list *matters) {
    while (!list_empty(matters)) {
        matter_destroy(matter_of(matters->next));
    }
}

void auth_desk_close(struct auth_desk **closed) {
    struct auth_desk *desk = *closed;
    *closed = NULL;
    if (!desk) {
        return;
    }
    if (desk->running) {
        pthread_mutex_lock(&desk->lock);
        desk->ending = true;
        pthread_mutex_unlock(&desk->lock);
        asker_wake(desk->asker);
        pthread_join(desk->thread, NULL);
    }
    asker_destroy(desk->asker);
    drop_all(&desk->queued);
    drop_all(&desk->under_way);
    drop_all(&desk->kept);
    map_finish(&desk->matters);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}
