// The nearest name by edit distance. It suggests only what is near enough to be a slip: a wrong
// suggestion costs more than none.
#include "cli/suggest.h"

enum { NAME_MAX_LEN = 64 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t suggest_distance(struct bytes a, struct bytes b) {
    size_t rows[3][NAME_MAX_LEN + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.len; j++) {
        last[j] = j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t changed = last[j - 1] + (a.at[i - 1] != b.at[j - 1]);
            now[j] = least(changed, 1 + least(last[j], now[j - 1]));
            bool swapped =
                i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1];
            if (swapped) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b.len];
}

void suggest_init(struct suggest *suggest, struct bytes wanted) {
    *suggest = (struct suggest){.wanted = wanted, .distance = SIZE_MAX};
}

void suggest_consider(struct suggest *suggest, const char *name) {
    size_t distance = suggest_distance(suggest->wanted, bytes_of(name));
    // One slip in a short name, one in three letters of a long one.
    size_t near = suggest->wanted.len < 6 ? 1 + (suggest->wanted.len > 3) : suggest->wanted.len / 3;
    if (distance <= near && distance < suggest->distance) {
        suggest->best = name;
        suggest->distance = distance;
    }
}
