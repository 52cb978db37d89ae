// A sorted array that never outgrows the page: a name behind the last row of a full page is left
// out at once, so a walk over a million topics costs a million comparisons and no memory.
#include "server/listing.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"

static int copy(struct bytes *out, struct bytes text) {
    char *at = malloc(text.len + 1);
    if (!at) {
        return ERR_NOMEM;
    }
    if (text.len) {
        memcpy(at, text.at, text.len);
    }
    *out = bytes_make(at, text.len);
    return 0;
}

int listing_init(struct listing *listing, size_t limit, struct bytes after, struct bytes prefix,
                 struct bytes search) {
    *listing = (struct listing){.limit = limit};
    listing->rows = calloc(limit + 1, sizeof(*listing->rows));
    int rc = listing->rows ? 0 : ERR_NOMEM;
    rc = rc ? rc : copy(&listing->after, after);
    rc = rc ? rc : copy(&listing->prefix, prefix);
    rc = rc ? rc : copy(&listing->search, search);
    if (rc) {
        listing_finish(listing);
    }
    return rc;
}

void listing_finish(struct listing *listing) {
    for (size_t i = 0; listing->rows && i < listing->count; i++) {
        free(listing->rows[i].name);
    }
    free(listing->rows);
    free((char *)(uintptr_t)listing->after.at);
    free((char *)(uintptr_t)listing->prefix.at);
    free((char *)(uintptr_t)listing->search.at);
    *listing = (struct listing){0};
}

static size_t find(const struct listing *listing, struct bytes name, bool *same) {
    size_t low = 0, high = listing->count;
    *same = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct listing_row *row = &listing->rows[middle];
        int order = bytes_compare(bytes_make(row->name, row->name_len), name);
        if (order == 0) {
            *same = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_within(struct bytes name, struct bytes part) {
    for (size_t at = 0; at + part.len <= name.len; at++) {
        if (bytes_equal_nocase(bytes_make(name.at + at, part.len), part)) {
            return true;
        }
    }
    return false;
}

static bool on_page(const struct listing *listing, struct bytes name) {
    bool behind = listing->after.len == 0 || bytes_compare(name, listing->after) > 0;
    return behind && name.len >= listing->prefix.len &&
           memcmp(name.at, listing->prefix.at, listing->prefix.len) == 0 &&
           has_within(name, listing->search);
}

static void insert(struct listing *listing, size_t place, struct bytes name) {
    struct bytes owned;
    if (copy(&owned, name)) {
        listing->failed = true;
        return;
    }
    struct listing_row *rows = listing->rows;
    memmove(&rows[place + 1], &rows[place], (listing->count - place) * sizeof(*rows));
    rows[place] = (struct listing_row){.name = (char *)(uintptr_t)owned.at, .name_len = owned.len};
    if (++listing->count > listing->limit) {
        free(rows[--listing->count].name);
        listing->more = true;
    }
}

void listing_add(struct listing *listing, struct bytes name, const struct listing_row *row) {
    bool same;
    if (!listing->rows || !on_page(listing, name)) {
        return;
    }
    size_t place = find(listing, name, &same);
    if (place == listing->limit) {
        listing->more = true;
        return;
    }
    if (!same) {
        insert(listing, place, name);
        if (listing->failed) {
            return;
        }
    }
    struct listing_row *into = &listing->rows[place];
    into->subscribers += row->subscribers;
    into->events += row->events;
    into->bytes += row->bytes;
    bool older = row->oldest && (!into->oldest || row->oldest < into->oldest);
    into->oldest = older ? row->oldest : into->oldest;
    into->newest = row->newest > into->newest ? row->newest : into->newest;
}

static int write_id(const char *name, event_id id, struct buf *out) {
    char text[ID_TEXT_MAX];
    int rc = buf_printf(out, ",\"%s\":", name);
    if (rc == 0) {
        rc = id ? json_append_string(out, bytes_make(text, id_format(id, text)))
                : buf_append_text(out, "null");
    }
    return rc;
}

static int write_row(const struct listing_row *row, struct buf *out) {
    int rc = buf_append_text(out, "{\"topic\":");
    rc = rc ? rc : json_append_string(out, bytes_make(row->name, row->name_len));
    rc = rc ? rc
            : buf_printf(out,
                         ",\"subscribers\":%" PRIu64 ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64,
                         row->subscribers, row->events, row->bytes);
    rc = rc ? rc : write_id("oldest", row->oldest, out);
    rc = rc ? rc : write_id("newest", row->newest, out);
    return rc ? rc : buf_append_text(out, "}");
}

int listing_write(const struct listing *listing, struct buf *out) {
    int rc = buf_append_text(out, "{\"topics\":[");
    for (size_t i = 0; rc == 0 && i < listing->count; i++) {
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : write_row(&listing->rows[i], out);
    }
    rc = rc ? rc : buf_append_text(out, "],\"next\":");
    if (rc == 0 && listing->more && listing->count) {
        const struct listing_row *last = &listing->rows[listing->count - 1];
        rc = json_append_string(out, bytes_make(last->name, last->name_len));
    } else if (rc == 0) {
        rc = buf_append_text(out, "null");
    }
    return rc ? rc : buf_append_text(out, "}");
}
