// The rules of access from the start of the server to its end: made from the settings, from files, and
// from what URLs give; and made anew as a whole, or left as they were.
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "server/access.h"
#include "server/auth_desk.h"
#include "server/auth_hook.h"
#include "server/key_source.h"
#include "server/revoke.h"
#include "server/worker.h"

int access_check(struct server *server) {
    struct rules *rules = NULL;
    const char *problem = auth_hook_problem(server->settings);
    if (problem) {
        snprintf(server->problem, sizeof(server->problem), "%s", problem);
        return ERR_INVALID;
    }
    int rc =
        rules_wanted(server->settings)
            ? rules_create(&rules, server->settings, (struct rules_fetched){0}, server->problem)
            : 0;
    rules_unref(rules);
    return rc;
}

// Takes them over.
static void replace(struct access *access, struct rules *rules) {
    pthread_mutex_lock(&access->lock);
    struct rules *before = access->rules;
    access->rules = rules;
    pthread_mutex_unlock(&access->lock);
    // Afterwards: who reads these lines may rely on the keys.
    log_write(LOG_INFO, "keys for tokens: %zu", rules->keys.count);
    if (rules->api_keys) {
        log_write(LOG_INFO, "API keys: %zu", rules->api_keys->count);
    }
    rules_unref(before);
}

// From the files as they are now and these texts. `making` is held.
static int make_anew(struct server *server, struct rules_fetched fetched,
                     char problem[RULES_PROBLEM_MAX]) {
    struct rules *rules;
    int rc = rules_create(&rules, server->settings, fetched, problem);
    if (rc == 0) {
        replace(&server->access, rules);
    }
    return rc;
}

static int keep_fetched(struct access *access, struct rules_fetched fetched) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < fetched.count; i++) {
        buf_clear(&access->fetched[i]);
        rc = buf_append(&access->fetched[i], fetched.texts[i].at, fetched.texts[i].len);
    }
    return rc;
}

static int on_fetched(void *ctx, const struct bytes *texts, size_t count, const char **problem) {
    static _Thread_local char why[RULES_PROBLEM_MAX];
    struct server *server = ctx;
    pthread_mutex_lock(&server->access.making);
    // What has changed in that file is for whoever ends streams to see: a reload.
    struct rules_fetched fetched = {
        .texts = texts, .count = count, .api_keys = server->access.rules->api_keys};
    int rc = make_anew(server, fetched, why);
    rc = rc ? rc : keep_fetched(&server->access, fetched);
    pthread_mutex_unlock(&server->access.making);
    *problem = why[0] ? why : "not enough memory";
    return rc;
}

static int open_source(struct server *server) {
    const struct settings *settings = server->settings;
    struct access *access = &server->access;
    size_t count = settings->jwt_keys_url.count;
    struct key_source_settings how = {.urls = &settings->jwt_keys_url,
                                      .refresh_ms = settings->jwt_refresh_ms,
                                      .fetched = on_fetched,
                                      .ctx = server};
    if (count == 0) {
        return 0;
    }
    access->fetched = calloc(count, sizeof(*access->fetched));
    if (!access->fetched) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        buf_init(&access->fetched[i], &mem_libc, 0);
    }
    int rc = key_source_open(&access->source, &how);
    if (rc == ERR_SYSTEM) {
        snprintf(server->problem, sizeof(server->problem),
                 "--jwt-keys-url: no keys can be fetched; this build has no libcurl, or the "
                 "operating system gives no thread");
    }
    return rc;
}

int access_open(struct server *server) {
    struct access *access = &server->access;
    access->opened = true;
    pthread_mutex_init(&access->lock, NULL);
    pthread_mutex_init(&access->making, NULL);
    tickets_init(&access->tickets, &server->hash_key, server->settings->max_tickets);
    access->on = rules_wanted(server->settings);
    access->tokens = rules_take_tokens(server->settings);
    int rc = access->on ? rules_create(&access->rules, server->settings, (struct rules_fetched){0},
                                       server->problem)
                        : 0;
    rc = rc ? rc : open_source(server);
    return rc ? rc : auth_hook_open(server);
}

void access_close(struct server *server) {
    struct access *access = &server->access;
    if (!access->opened) {
        return;
    }
    access->opened = false;
    key_source_close(&access->source);
    auth_desk_close(&access->desk);
    for (size_t i = 0; access->fetched && i < server->settings->jwt_keys_url.count; i++) {
        buf_finish(&access->fetched[i]);
    }
    free(access->fetched);
    rules_unref(access->rules);
    access->rules = NULL;
    tickets_finish(&access->tickets);
    pthread_mutex_destroy(&access->making);
    pthread_mutex_destroy(&access->lock);
}

int access_prepare(struct server *server, const struct settings *settings, struct rules **out,
                   char problem[RULES_PROBLEM_MAX]) {
    struct access *access = &server->access;
    size_t count = access->on ? settings->jwt_keys_url.count : 0;
    *out = NULL;
    problem[0] = '\0';
    if (!access->on) {
        return 0;
    }
    struct bytes *texts = calloc(count + 1, sizeof(*texts));
    if (!texts) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = buf_bytes(&access->fetched[i]);
    }
    struct rules_fetched fetched = {.texts = texts, .count = count};
    int rc = rules_create(out, settings, fetched, problem);
    free(texts);
    return rc;
}

void access_lock(struct server *server) {
    pthread_mutex_lock(&server->access.making);
}

void access_unlock(struct server *server) {
    pthread_mutex_unlock(&server->access.making);
}

void access_commit(struct server *server, struct rules *rules) {
    struct access *access = &server->access;
    tickets_limit(&access->tickets, server->settings->max_tickets);
    if (rules) {
        replace(access, rules);
        revoke_streams(server);
    }
    if (access->desk) {
        auth_desk_forget(access->desk);
    }
}
