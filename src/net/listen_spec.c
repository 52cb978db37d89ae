// One --listen, read from left to right. What it does not understand whole it refuses: an address
// that protects less than its writer believed must not come up.
#include "net/listen_spec.h"

#include <stdlib.h>

enum { PLACE_MAX = 256, MODE_MAX = 0777 };

static bool take_prefix(struct bytes *text, const char *prefix) {
    if (!bytes_starts_with(*text, prefix)) {
        return false;
    }
    size_t len = strlen(prefix);
    *text = bytes_make(text->at + len, text->len - len);
    return true;
}

// Cuts the text at the first `stop`; what follows it stays, and is empty when there was none.
static struct bytes take_until(struct bytes *text, char stop) {
    const char *at = text->len ? memchr(text->at, stop, text->len) : NULL;
    struct bytes piece = bytes_make(text->at, at ? (size_t)(at - text->at) : text->len);
    size_t taken = piece.len + (at ? 1 : 0);
    *text = bytes_make(text->at + taken, text->len - taken);
    return piece;
}

static const char *parse_mode(struct bytes text, struct listen_spec *out) {
    int mode = 0;
    for (size_t i = 0; i < text.len && mode <= MODE_MAX; i++) {
        bool octal = text.at[i] >= '0' && text.at[i] <= '7';
        mode = octal ? mode * 8 + (text.at[i] - '0') : MODE_MAX + 1;
    }
    if (text.len < 3 || text.len > 4 || mode > MODE_MAX) {
        return "write the mode in octal, as mode=0660";
    }
    out->mode = mode;
    return NULL;
}

static const char *parse_owner(struct bytes text, struct listen_spec *out) {
    bool with_group = text.len && memchr(text.at, ':', text.len);
    out->user = take_until(&text, ':');
    out->group = text;
    bool named = out->user.len || out->group.len;
    return named && (!with_group || out->group.len)
               ? NULL
               : "write the owner as owner=USER, owner=USER:GROUP or owner=:GROUP";
}

static const char *parse_option(struct bytes option, struct listen_spec *out) {
    bool of_file = true;
    const char *wrong;
    if (bytes_is(option, "proxy")) {
        out->proxy = true;
        return NULL;
    }
    if (take_prefix(&option, "mode=")) {
        wrong = parse_mode(option, out);
    } else if (take_prefix(&option, "owner=")) {
        wrong = parse_owner(option, out);
    } else {
        of_file = false;
        wrong = "after a semicolon there may be proxy, mode=0660 or owner=USER:GROUP";
    }
    if (of_file && !listen_spec_is_unix(out)) {
        return "only a Unix socket has a mode and an owner";
    }
    return wrong;
}

static const char *parse_place(struct bytes place, struct listen_spec *out) {
    char text[PLACE_MAX];
    if (take_prefix(&place, "unix:")) {
        return address_parse_unix(place, &out->address);
    }
    if (bytes_is(place, "systemd") || take_prefix(&place, "systemd:")) {
        out->handed_over = true;
        bool any = bytes_is(place, "systemd");
        out->name = any ? bytes_make(place.at, 0) : place;
        return any || place.len ? NULL : "write the name of the sockets, as systemd:NAME";
    }
    if (place.len && place.at[place.len - 1] == '/') {
        return "leave out the path: an address ends with its port";
    }
    if (place.len >= sizeof(text)) {
        return "it is too long";
    }
    memcpy(text, place.at, place.len);
    text[place.len] = '\0';
    return address_parse(text, &out->address);
}

const char *listen_spec_parse(const char *text, struct listen_spec *out) {
    struct bytes rest = bytes_of(text);
    *out = (struct listen_spec){.mode = -1};
    out->tls = take_prefix(&rest, "https://");
    if (!out->tls) {
        take_prefix(&rest, "http://");
    }
    struct bytes all = rest, place = take_until(&rest, ';');
    const char *wrong = parse_place(place, out);
    bool more = place.len < all.len;
    while (!wrong && more) {
        all = rest;
        struct bytes option = take_until(&rest, ';');
        wrong = parse_option(option, out);
        more = option.len < all.len;
    }
    return wrong;
}
