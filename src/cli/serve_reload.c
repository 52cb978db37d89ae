// One block of memory for each reading: the settings, the engine that owns their texts, and what the
// server makes of them.
#include "cli/serve_reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "cli/options_merge.h"

struct reading {
    struct snapshot snapshot;
    struct settings settings;
    struct options options;
};

static void destroy(struct snapshot *snapshot) {
    struct reading *reading = container_of(snapshot, struct reading, snapshot);
    options_finish(&reading->options);
    free(reading);
}

static int changed(void *ctx, const char *name, const char *from, const char *to) {
    return reload_notes_change(ctx, name, from, to);
}

static int needs_restart(void *ctx, const char *name) {
    return reload_notes_restart(ctx, name);
}

static int load(struct reading *reading, const struct options *first,
                const struct settings *running, struct reload_notes *notes) {
    const struct options_differences differences = {
        .changed = changed, .needs_restart = needs_restart, .ctx = notes};
    struct options *fresh = &reading->options;
    int rc = options_load(fresh, first->argc, first->argv, first->environment);
    if (rc) {
        snprintf(notes->problem, sizeof(notes->problem), "%s", fresh->error);
        return rc < 0 ? rc : ERR_INVALID;
    }
    return options_merge(fresh, running, &differences);
}

static int read_again(void *ctx, const struct settings *running, struct snapshot **out,
                      struct reload_notes *notes) {
    const struct options *first = ctx;
    struct reading *reading = calloc(1, sizeof(*reading));
    *out = NULL;
    if (!reading) {
        return ERR_NOMEM;
    }
    options_init(&reading->options, first->mem, first->table, &reading->settings, first->program);
    reading->options.sections = first->sections;
    snapshot_init(&reading->snapshot, &reading->settings, destroy);
    int rc = load(reading, first, running, notes);
    if (rc) {
        snapshot_unref(&reading->snapshot);
    } else {
        *out = &reading->snapshot;
    }
    return rc;
}

struct settings_source serve_reload_source(struct options *options) {
    return (struct settings_source){.read = read_again, .ctx = options};
}
