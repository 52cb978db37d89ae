// Reading the rules. A file that cannot be read or used is a mistake of whoever named it: nothing is
// passed over, because a key less is a door locked and a rule less may be one open.
#include "server/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/key_file.h"
#include "auth/template.h"
#include "base/error.h"
#include "hub/topic.h"

static int refuse(char problem[RULES_PROBLEM_MAX], const char *option, const char *value,
                  const char *why) {
    snprintf(problem, RULES_PROBLEM_MAX, "--%s \"%.100s\": %s", option, value, why);
    return ERR_INVALID;
}

bool rules_wanted(const struct settings *settings) {
    return settings->api_keys_file || settings->jwt_secret || settings->jwt_secret_file ||
           settings->jwt_key.count || settings->jwt_keys_url.count ||
           settings->public_subscribe.count || settings->public_publish.count || settings->auth_url;
}

bool rules_take_tokens(const struct settings *settings) {
    bool keys = settings->api_keys_file || settings->jwt_secret || settings->jwt_secret_file ||
                settings->jwt_key.count || settings->jwt_keys_url.count;
    return rules_wanted(settings) && (keys || !settings->auth_url);
}

// Adds what a file holds, as a secret or as keys.
static int add_file(struct rules *rules, const char *option, const char *name,
                    char problem[RULES_PROBLEM_MAX]) {
    const char *why = "it is too large for a file of keys";
    struct buf text;
    buf_init(&text, &mem_libc, KEY_FILE_MAX);
    int rc = key_file_read(name, &text);
    if (rc == 0 && strcmp(option, "jwt-secret-file") == 0) {
        rc = key_set_add_secret(&rules->keys, key_file_trim(buf_bytes(&text)), &why);
    } else if (rc == 0) {
        rc = key_set_add(&rules->keys, buf_bytes(&text), &why);
    }
    buf_finish(&text);
    return rc == 0 || rc == ERR_NOMEM
               ? rc
               : refuse(problem, option, name, rc == ERR_SYSTEM ? strerror(errno) : why);
}

static int add_keys(struct rules *rules, const struct settings *settings,
                    char problem[RULES_PROBLEM_MAX]) {
    const char *why;
    int rc = 0;
    if (settings->jwt_secret) {
        rc = key_set_add_secret(&rules->keys, bytes_of(settings->jwt_secret), &why);
        rc = rc == ERR_INVALID ? refuse(problem, "jwt-secret", "…", why) : rc;
    }
    if (rc == 0 && settings->jwt_secret_file) {
        rc = add_file(rules, "jwt-secret-file", settings->jwt_secret_file, problem);
    }
    for (size_t i = 0; rc == 0 && i < settings->jwt_key.count; i++) {
        rc = add_file(rules, "jwt-key", settings->jwt_key.items[i], problem);
    }
    return rc;
}

static int read_api_keys(struct rules *rules, const char *name, char problem[RULES_PROBLEM_MAX]) {
    char why[API_KEYS_PROBLEM_MAX];
    struct buf text;
    buf_init(&text, &mem_libc, API_KEYS_FILE_MAX);
    int rc = key_file_read(name, &text);
    if (rc == ERR_SYSTEM) {
        rc = refuse(problem, "api-keys-file", name, strerror(errno));
    } else if (rc == ERR_TOO_LARGE) {
        rc = refuse(problem, "api-keys-file", name, "it is larger than a megabyte");
    } else if (rc == 0) {
        rc = api_keys_create(&rules->api_keys, buf_bytes(&text), why);
        rc = rc == ERR_INVALID ? refuse(problem, "api-keys-file", name, why) : rc;
    }
    buf_finish(&text);
    return rc;
}

static int add_api_keys(struct rules *rules, const struct settings *settings,
                        struct rules_fetched fetched, char problem[RULES_PROBLEM_MAX]) {
    rules->api_keys = api_keys_ref(fetched.api_keys);
    return rules->api_keys || !settings->api_keys_file
               ? 0
               : read_api_keys(rules, settings->api_keys_file, problem);
}

static int add_fetched(struct rules *rules, const struct settings *settings,
                       struct rules_fetched fetched, char problem[RULES_PROBLEM_MAX]) {
    const char *why;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < fetched.count; i++) {
        rc = fetched.texts[i].len ? key_set_add(&rules->keys, fetched.texts[i], &why) : 0;
        if (rc == ERR_INVALID) {
            return refuse(problem, "jwt-keys-url", settings->jwt_keys_url.items[i], why);
        }
    }
    return rc;
}

static int add_everyone(struct rules *rules, const char *option, const struct texts *names,
                        enum right right, char problem[RULES_PROBLEM_MAX]) {
    for (size_t i = 0; i < names->count; i++) {
        struct bytes name = bytes_of(names->items[i]);
        const char *why = topic_problem(name);
        int rc = why ? ERR_INVALID : grants_add(&rules->everyone, name, right);
        if (rc) {
            return rc == ERR_NOMEM ? rc
                                   : refuse(problem, option, names->items[i],
                                            why ? why : "there are more than 1024");
        }
    }
    return 0;
}

static int check_templates(const char *option, const struct texts *templates,
                           char problem[RULES_PROBLEM_MAX]) {
    for (size_t i = 0; i < templates->count; i++) {
        const char *why = template_problem(bytes_of(templates->items[i]));
        if (why) {
            return refuse(problem, option, templates->items[i], why);
        }
    }
    return 0;
}

static int fill(struct rules *rules, const struct settings *settings, struct rules_fetched fetched,
                char problem[RULES_PROBLEM_MAX]) {
    int rc = add_keys(rules, settings, problem);
    rc = rc ? rc : add_api_keys(rules, settings, fetched, problem);
    rc = rc ? rc : add_fetched(rules, settings, fetched, problem);
    rc = rc ? rc
            : add_everyone(rules, "public-subscribe", &settings->public_subscribe, RIGHT_SUBSCRIBE,
                           problem);
    rc = rc ? rc
            : add_everyone(rules, "public-publish", &settings->public_publish, RIGHT_PUBLISH,
                           problem);
    rc = rc ? rc : check_templates("jwt-subscribe", &settings->jwt_subscribe, problem);
    return rc ? rc : check_templates("jwt-publish", &settings->jwt_publish, problem);
}

int rules_create(struct rules **out, const struct settings *settings, struct rules_fetched fetched,
                 char problem[RULES_PROBLEM_MAX]) {
    struct rules *rules = calloc(1, sizeof(*rules));
    problem[0] = '\0';
    *out = NULL;
    if (!rules) {
        return ERR_NOMEM;
    }
    atomic_init(&rules->refs, 1);
    key_set_init(&rules->keys);
    grants_init(&rules->everyone);
    rules->policy = (struct claims_policy){
        .issuers = &settings->jwt_issuer,
        .audiences = &settings->jwt_audience,
        .member = settings->jwt_claim,
        .subscribe = &settings->jwt_subscribe,
        .publish = &settings->jwt_publish,
        .leeway_ms = settings->jwt_leeway_ms,
    };
    int rc = fill(rules, settings, fetched, problem);
    if (rc) {
        rules_unref(rules);
    } else {
        *out = rules;
    }
    return rc;
}

void rules_unref(struct rules *rules) {
    if (rules && atomic_fetch_sub_explicit(&rules->refs, 1, memory_order_acq_rel) == 1) {
        key_set_finish(&rules->keys);
        api_keys_unref(rules->api_keys);
        grants_finish(&rules->everyone);
        free(rules);
    }
}
