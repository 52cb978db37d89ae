// Merging. Sections are compared by their argument; the order of those that count in order is a
// difference of its own. Of a text that is long only the beginning is told.
#include "cli/options_merge.h"

#include <stdio.h>

#include "cli/options_private.h"

enum { TOLD_MAX = 512 };

struct merge {
    struct options *fresh;
    const void *running;
    const struct options_differences *out;
};

static int tell(const struct merge *merge, const struct option *option, const char *name,
                const void *from, const void *to) {
    char before[TOLD_MAX], after[TOLD_MAX];
    if (option->flags & OPTION_SECRET) {
        return merge->out->changed(merge->out->ctx, name, NULL, NULL);
    }
    option_text(option, from, before, sizeof(before));
    option_text(option, to, after, sizeof(after));
    return merge->out->changed(merge->out->ctx, name, before, after);
}

static void *fresh_at(const struct merge *merge, const struct option *option) {
    return (char *)merge->fresh->settings + option->offset;
}

static const void *running_at(const struct merge *merge, const struct option *option) {
    return (const char *)merge->running + option->offset;
}

static int put_back(const struct merge *merge, const struct option *option) {
    return option_copy(merge->fresh->mem, option, fresh_at(merge, option),
                       running_at(merge, option));
}

// Its default hangs on a setting that stays as it was, so it does too.
static bool hangs_on_the_past(const struct merge *merge, const struct option *option) {
    const struct options *fresh = merge->fresh;
    const struct option *beside =
        option->beside ? options_find(fresh->table, bytes_of(option->beside)) : NULL;
    return beside && options_source(fresh, option->name) <= OPTION_DEFAULT &&
           !(beside->flags & OPTION_LIVE) &&
           !option_same(beside, running_at(merge, beside), fresh_at(merge, beside));
}

static int merge_option(const struct merge *merge, const struct option *option) {
    const void *from = running_at(merge, option), *to = fresh_at(merge, option);
    if (option_same(option, from, to)) {
        return 0;
    }
    if (option->flags & OPTION_LIVE) {
        return tell(merge, option, option->name, from, to);
    }
    int rc = merge->out->needs_restart(merge->out->ctx, option->name);
    return rc ? rc : put_back(merge, option);
}

// --- sections ---

static const struct records *running_records(const struct merge *merge,
                                             const struct option_section *section) {
    return (const struct records *)(const void *)((const char *)merge->running + section->offset);
}

static char **find_item(const struct records *records, const struct option_section *section,
                        const char *argument) {
    for (size_t i = 0; i < records->count; i++) {
        char **item = options_item(records, section, i);
        if (strcmp(*item, argument) == 0) {
            return item;
        }
    }
    return NULL;
}

static const struct option *option_of(const struct merge *merge,
                                      const struct option_member *member) {
    return options_find(merge->fresh->table, bytes_of(member->name));
}

static bool same_items(const struct merge *merge, const struct option_section *section,
                       char *const *a, char *const *b) {
    bool same = strcmp(*a, *b) == 0;
    for (const struct option_member *m = section->members; same && m->name; m++) {
        same = option_same(option_of(merge, m), (const char *)a + m->offset,
                           (const char *)b + m->offset);
    }
    return same;
}

static bool same_sections(const struct merge *merge, const struct option_section *section) {
    const struct records *a = running_records(merge, section);
    const struct records *b = options_records(merge->fresh, section);
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = same_items(merge, section, options_item(a, section, i), options_item(b, section, i));
    }
    return same;
}

static int tell_item(const struct merge *merge, const struct option_section *section, char **from,
                     char **to) {
    char name[TOLD_MAX];
    int rc = 0;
    for (const struct option_member *m = section->members; rc == 0 && m->name; m++) {
        const struct option *option = option_of(merge, m);
        const void *before = (const char *)from + m->offset, *after = (const char *)to + m->offset;
        snprintf(name, sizeof(name), "[%s \"%.300s\"] %s", section->name, *to, m->name);
        rc = option_same(option, before, after) ? 0 : tell(merge, option, name, before, after);
    }
    return rc;
}

// What is in `in` and not in `other`, which is told by these words.
static int tell_missing(const struct merge *merge, const struct option_section *section,
                        const struct records *in, const struct records *other, const char *from,
                        const char *to) {
    char name[TOLD_MAX];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        const char *argument = *options_item(in, section, i);
        if (!find_item(other, section, argument)) {
            snprintf(name, sizeof(name), "[%s \"%.300s\"]", section->name, argument);
            rc = merge->out->changed(merge->out->ctx, name, from, to);
        }
    }
    return rc;
}

// Whether the same arguments stand in another order.
static bool are_reordered(const struct option_section *section, const struct records *a,
                          const struct records *b) {
    bool same_set = a->count == b->count, same_order = true;
    for (size_t i = 0; same_set && i < a->count; i++) {
        const char *argument = *options_item(a, section, i);
        same_set = find_item(b, section, argument) != NULL;
        same_order = same_order && strcmp(argument, *options_item(b, section, i)) == 0;
    }
    return same_set && !same_order;
}

static int tell_sections(const struct merge *merge, const struct option_section *section) {
    const struct records *a = running_records(merge, section);
    const struct records *b = options_records(merge->fresh, section);
    char name[TOLD_MAX];
    int rc = tell_missing(merge, section, a, b, "there", "gone");
    rc = rc ? rc : tell_missing(merge, section, b, a, "not there", "there");
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        char **to = options_item(b, section, i), **from = find_item(a, section, *to);
        rc = from ? tell_item(merge, section, from, to) : 0;
    }
    if (rc == 0 && are_reordered(section, a, b)) {
        snprintf(name, sizeof(name), "[%s]", section->name);
        rc = merge->out->changed(merge->out->ctx, name, "in order", "in another order");
    }
    return rc;
}

static int copy_item(const struct merge *merge, const struct option_section *section,
                     struct records *to, char *const *from) {
    const struct mem *mem = merge->fresh->mem;
    size_t size = strlen(*from) + 1;
    char *argument = mem_alloc(mem, size);
    if (!argument) {
        return ERR_NOMEM;
    }
    memcpy(argument, *from, size);
    char **item = options_item(to, section, to->count++);
    memset(item, 0, section->size);
    *item = argument;
    int rc = 0;
    for (const struct option_member *m = section->members; rc == 0 && m->name; m++) {
        rc = option_copy(mem, option_of(merge, m), (char *)item + m->offset,
                         (const char *)from + m->offset);
    }
    return rc;
}

static int put_back_section(const struct merge *merge, const struct option_section *section) {
    const struct records *from = running_records(merge, section);
    struct records *to = options_records(merge->fresh, section);
    int rc = 0;
    options_section_clear(merge->fresh, section);
    to->items = from->count ? mem_alloc(merge->fresh->mem, from->count * section->size) : NULL;
    if (from->count && !to->items) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; rc == 0 && i < from->count; i++) {
        rc = copy_item(merge, section, to, options_item(from, section, i));
    }
    return rc;
}

static int merge_section(const struct merge *merge, const struct option_section *section) {
    char name[64];
    if (same_sections(merge, section)) {
        return 0;
    }
    if (section->live) {
        return tell_sections(merge, section);
    }
    snprintf(name, sizeof(name), "[%s]", section->name);
    int rc = merge->out->needs_restart(merge->out->ctx, name);
    return rc ? rc : put_back_section(merge, section);
}

int options_merge(struct options *fresh, const void *running,
                  const struct options_differences *differences) {
    struct merge merge = {.fresh = fresh, .running = running, .out = differences};
    const struct option_section *section = fresh->sections;
    int rc = 0;
    for (const struct option *option = fresh->table; rc == 0 && option->name; option++) {
        rc = hangs_on_the_past(&merge, option) ? put_back(&merge, option) : 0;
    }
    for (const struct option *option = fresh->table; rc == 0 && option->name; option++) {
        rc = merge_option(&merge, option);
    }
    for (; rc == 0 && section && section->name; section++) {
        rc = merge_section(&merge, section);
    }
    return rc;
}
