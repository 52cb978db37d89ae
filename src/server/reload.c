// In two steps: what can fail is prepared beside what is in force, then everything is replaced, and that
// cannot fail. It refuses to put up the first lock or to take away the last: whether there are rules of
// access is as it was at the start.
#include "server/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "server/audit.h"
#include "server/listening.h"
#include "server/retention.h"
#include "server/server.h"

// What will be in force.
struct plan {
    struct snapshot *next; // NULL: the settings stay
    struct retirement *retiring;
    struct rules *rules; // NULL: there are none
    struct secure_load certs;
    int audit_fd;
};

static const struct settings *settings_of(const struct server *server, const struct plan *plan) {
    return plan->next ? plan->next->settings : server->settings;
}

static int say(struct reload_notes *notes, const char *sentence) {
    snprintf(notes->problem, sizeof(notes->problem), "%s", sentence);
    return ERR_INVALID;
}

static int read_settings(struct server *server, struct plan *plan, struct reload_notes *notes) {
    char problem[SNAPSHOT_PROBLEM_MAX];
    if (!server->source) {
        return 0;
    }
    int rc = server->source->read(server->source->ctx, server->settings, &plan->next, notes);
    rc = rc ? rc : snapshot_prepare(server, &plan->retiring);
    if (rc) {
        return rc;
    }
    rc = snapshot_derive(plan->next, problem);
    if (rc && problem[0]) {
        return say(notes, problem);
    }
    if (rc == 0 && rules_wanted(plan->next->settings) != server->access.on) {
        return say(notes,
                   server->access.on
                       ? "the last key, or what is public, would be gone, and everybody "
                         "could do everything: only a restart does that"
                       : "the first key, or the first thing that is public, takes a restart");
    }
    return rc;
}

// An address that only proxies may connect to needs one.
static int check_proxies(struct server *server, const struct plan *plan,
                         struct reload_notes *notes) {
    bool wanted = false;
    for (size_t i = 0; i < server->listening_count; i++) {
        wanted = wanted || server->listening[i].spec.proxy;
    }
    return wanted && plan->next && plan->next->trusted_count == 0
               ? say(notes, "an address with ;proxy needs --trusted-proxies, and none is left")
               : 0;
}

static int check_admin(struct server *server, const struct plan *plan, struct reload_notes *notes) {
    const struct settings *settings = settings_of(server, plan);
    if (server->admin_reachable && !rules_wanted(settings) && !settings->admin_token_file &&
        !settings->insecure) {
        return say(notes, "--admin-listen can be reached by others, so --admin-token-file cannot "
                          "be taken away");
    }
    return 0;
}

static int read_files(struct server *server, struct plan *plan, struct reload_notes *notes) {
    const struct settings *settings = settings_of(server, plan);
    int rc = secure_prepare(server, &plan->certs, notes->problem);
    if (rc) {
        log_write(LOG_ERROR, "the new certificates are not used, those before go on: %s",
                  notes->problem);
        return rc;
    }
    rc = access_prepare(server, settings, &plan->rules, notes->problem);
    if (rc) {
        log_write(LOG_ERROR, "the keys stay as they were: %s",
                  notes->problem[0] ? notes->problem : "not enough memory");
        return rc;
    }
    return audit_open_file(settings->audit_log, &plan->audit_fd, notes->problem);
}

// The last that can fail: when it has not, there is no way back.
static int change_history(struct server *server, const struct plan *plan) {
    struct history_limits limits;
    struct history_rule *rules = NULL;
    int rc = plan->next ? retention_limits(plan->next->settings, &limits, &rules) : 0;
    rc = rc || !plan->next ? rc : server->history->change(server->history, &limits);
    free(rules);
    return rc;
}

static void carry_out(struct server *server, struct plan *plan) {
    secure_commit(server, &plan->certs);
    if (plan->next) {
        snapshot_replace(server, plan->next, plan->retiring);
    }
    access_commit(server, plan->rules);
    quotas_reload(server);
    rates_reload(server);
    log_setup((enum log_level)server->settings->log_level,
              (enum log_format)server->settings->log_format);
    audit_use_file(server->audit, plan->audit_fd);
    secure_tell_loaded(server);
}

static void give_up(struct plan *plan) {
    secure_discard(&plan->certs);
    rules_unref(plan->rules);
    audit_close_file(plan->audit_fd);
    free(plan->retiring);
    snapshot_unref(plan->next);
}

int reload_run(struct server *server, struct reload_notes *notes) {
    struct plan plan = {.audit_fd = -1};
    int rc = read_settings(server, &plan, notes);
    rc = rc ? rc : check_proxies(server, &plan, notes);
    rc = rc ? rc : check_admin(server, &plan, notes);
    access_lock(server);
    rc = rc ? rc : read_files(server, &plan, notes);
    rc = rc ? rc : change_history(server, &plan);
    if (rc == 0) {
        carry_out(server, &plan);
    }
    access_unlock(server);
    if (rc) {
        give_up(&plan);
        if (!notes->problem[0]) {
            (void)say(notes, "there is not enough memory to reload");
        }
        log_write(LOG_ERROR, "reload: nothing was changed: %s", notes->problem);
        return rc;
    }
    reload_notes_log(notes);
    return 0;
}

static void warn_of(const char *name, const char *file) {
    if (file && access(file, R_OK)) {
        log_write(LOG_WARN, "%s cannot read %s: as long as that is so, no reload will work", name,
                  file);
    }
}

static void warn_of_all(const char *name, const struct texts *files) {
    for (size_t i = 0; i < files->count; i++) {
        warn_of(name, files->items[i]);
    }
}

void reload_warn_unreadable(const struct server *server, const char *name) {
    const struct settings *settings = server->settings;
    const struct listen_settings *sections = settings->listen_sections.items;
    warn_of(name, settings->config);
    warn_of(name, settings->jwt_secret_file);
    warn_of(name, settings->api_keys_file);
    warn_of(name, settings->admin_token_file);
    warn_of(name, settings->tls_client_ca);
    warn_of_all(name, &settings->jwt_key);
    warn_of_all(name, &settings->tls_cert);
    warn_of_all(name, &settings->tls_key);
    for (size_t i = 0; i < settings->listen_sections.count; i++) {
        warn_of(name, sections[i].tls_client_ca);
        warn_of_all(name, &sections[i].tls_cert);
        warn_of_all(name, &sections[i].tls_key);
    }
}
