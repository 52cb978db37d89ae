// Tokens and lists. A quoted string that never ends takes the rest of its list with it.
#include "http/token.h"

bool http_is_token(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (!http_is_token_char(text.at[i])) {
            return false;
        }
    }
    return text.len > 0;
}

// Where the piece at the front ends.
static size_t piece_length(struct bytes list, char stop) {
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        if (quoted && list.at[i] == '\\') {
            i++;
        } else if (list.at[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && list.at[i] == stop) {
            return i;
        }
    }
    return list.len;
}

bool http_list_next(struct bytes *list, char stop, struct bytes *piece) {
    while (list->len) {
        size_t len = piece_length(*list, stop);
        size_t taken = len < list->len ? len + 1 : len;
        *piece = bytes_trim(bytes_make(list->at, len));
        *list = bytes_make(list->at + taken, list->len - taken);
        if (piece->len) {
            return true;
        }
    }
    return false;
}
