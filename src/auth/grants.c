// A list that is looked through: tokens name a handful of topics.
#include "auth/grants.h"

#include <stdlib.h>

#include "base/error.h"
#include "hub/topic.h"

void grants_init(struct grants *grants) {
    *grants = (struct grants){0};
    buf_init(&grants->text, &mem_libc, 0);
}

void grants_finish(struct grants *grants) {
    buf_finish(&grants->text);
    free(grants->items);
    grants_init(grants);
}

int grants_add(struct grants *grants, struct bytes name, unsigned rights) {
    if (grants->count == GRANTS_MAX) {
        return ERR_TOO_LARGE;
    }
    struct grant *items = realloc(grants->items, (grants->count + 1) * sizeof(*items));
    if (!items) {
        return ERR_NOMEM;
    }
    grants->items = items;
    struct grant grant = {
        .at = (uint32_t)grants->text.len, .len = (uint32_t)name.len, .rights = (uint8_t)rights};
    int rc = buf_append(&grants->text, name.at, name.len);
    if (rc == 0) {
        items[grants->count++] = grant;
    }
    return rc;
}

// Whether every segment that `wanted` may stand for is one that `granted` stands for.
static bool segment_covers(struct bytes granted, struct bytes wanted) {
    if (bytes_is(wanted, "**")) {
        return false; // only `**` covers it, and that has been looked at
    }
    return bytes_is(granted, "*") ? wanted.len > 0 : bytes_equal(granted, wanted);
}

static bool covers(struct bytes granted, struct bytes wanted) {
    struct topic_walk given = topic_walk(granted), asked = topic_walk(wanted);
    struct bytes have, want;
    while (topic_walk_next(&given, &have)) {
        if (!topic_walk_next(&asked, &want)) {
            return false;
        }
        if (bytes_is(have, "**")) {
            return true;
        }
        if (!segment_covers(have, want)) {
            return false;
        }
    }
    return !topic_walk_next(&asked, &want);
}

bool grants_cover(const struct grants *grants, struct bytes name, enum right right) {
    for (size_t i = 0; i < grants->count; i++) {
        const struct grant *grant = &grants->items[i];
        struct bytes text = bytes_make(grants->text.at + grant->at, grant->len);
        if (grant->rights & right && covers(text, name)) {
            return true;
        }
    }
    return false;
}
