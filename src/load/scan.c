// Lines out of pieces. A line that lies whole in its piece is looked at where it is; of one that was
// cut, the first bytes are carried along, which is all that anyone asks for.
#include "load/scan.h"

static void keep(struct scan *scan, const char *at, size_t len) {
    if (scan->carried < SCAN_CARRY_MAX) {
        size_t room = SCAN_CARRY_MAX - scan->carried;
        memcpy(scan->carry + scan->carried, at, len < room ? len : room);
    }
    scan->carried += len;
    scan->last = len ? at[len - 1] : scan->last;
}

// The value of a line of the field `name` (of `len` bytes), if it is one: from where, how long.
static bool field(struct bytes line, size_t whole, const char *name, size_t len,
                  struct bytes *value, size_t *value_len) {
    if (whole < len || memcmp(line.at, name, len) != 0 || (whole > len && line.at[len] != ':')) {
        return false;
    }
    size_t skip = whole > len ? len + 1 : len;
    skip += whole > skip && line.at[skip] == ' ';
    *value = bytes_make(line.at + skip, line.len > skip ? line.len - skip : 0);
    *value_len = whole - skip;
    return true;
}

static void take_data(struct scan *scan, struct bytes value, size_t len) {
    if (scan->has_data) {
        scan->data_len += len + 1;
        // Only a first line that is shorter than the head can be followed by more of it.
        if (scan->at.len < SCAN_HEAD_MAX) {
            size_t had = scan->at.len, room = SCAN_HEAD_MAX - had - 1;
            memmove(scan->head, scan->at.at, had);
            scan->head[had] = '\n';
            size_t more = value.len < room ? value.len : room;
            memcpy(scan->head + had + 1, value.at, more);
            scan->at = bytes_make(scan->head, had + 1 + more);
        }
        return;
    }
    scan->has_data = true;
    scan->data_len = len;
    scan->at = bytes_make(value.at, value.len < SCAN_HEAD_MAX ? value.len : SCAN_HEAD_MAX);
}

// Nothing may point into a piece, or the carry, that is about to go.
static void settle(struct scan *scan) {
    if (scan->has_data && scan->at.at != scan->head) {
        memcpy(scan->head, scan->at.at, scan->at.len);
        scan->at.at = scan->head;
    }
    if (scan->has_newest) {
        scan->id_len = (unsigned char)scan->newest.len;
        memcpy(scan->id, scan->newest.at, scan->id_len);
        scan->has_newest = false;
    }
    if (scan->has_next_id && scan->next_id.at != scan->pending) {
        memcpy(scan->pending, scan->next_id.at, scan->next_id.len);
        scan->next_id.at = scan->pending;
    }
}

static void take_end(struct scan *scan, scan_found *found, void *ctx) {
    if (scan->has_next_id) {
        scan->newest = scan->next_id;
        scan->has_newest = true;
        scan->has_next_id = false;
    }
    if (scan->has_data) {
        found(ctx, scan->at, scan->data_len);
        scan->has_data = false;
    }
}

// `whole` is the length of the line without its end, of which `line` may be only the start.
static void take_line(struct scan *scan, struct bytes line, size_t whole, scan_found *found,
                      void *ctx) {
    struct bytes value;
    size_t len;
    if (whole == 0) {
        take_end(scan, found, ctx);
    } else if (line.at[0] == 'd' && field(line, whole, "data", 4, &value, &len)) {
        take_data(scan, value, len);
    } else if (line.at[0] == 'i' && field(line, whole, "id", 2, &value, &len)) {
        scan->has_next_id = true;
        scan->next_id = bytes_make(value.at, len <= SCAN_ID_MAX ? value.len : 0);
    }
}

static void take_cut_line(struct scan *scan, const char *at, size_t len, scan_found *found,
                          void *ctx) {
    keep(scan, at, len);
    size_t whole = scan->carried - (scan->last == '\r');
    struct bytes line = {scan->carry, whole < SCAN_CARRY_MAX ? whole : SCAN_CARRY_MAX};
    take_line(scan, line, whole, found, ctx);
    // The carry is about to be used again.
    settle(scan);
    scan->carried = 0;
    scan->last = '\0';
}

void scan_feed(struct scan *scan, struct bytes piece, scan_found *found, void *ctx) {
    const char *at = piece.at, *end = at + piece.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) {
            keep(scan, at, (size_t)(end - at));
            break;
        }
        if (__builtin_expect(scan->carried != 0, 0)) {
            take_cut_line(scan, at, (size_t)(stop - at), found, ctx);
        } else {
            size_t len = (size_t)(stop - at);
            len -= len && at[len - 1] == '\r';
            take_line(scan, bytes_make(at, len), len, found, ctx);
        }
        at = stop + 1;
    }
    settle(scan);
}
