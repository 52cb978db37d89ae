// Strings out of pieces. Whatever stands between strings only says whether the next one is a name or
// a value; of a string, what is between its escapes is taken as a run.
#include "load/items.h"

enum { BETWEEN, WITHIN, ESCAPED, DIGITS };
enum { NAME, DATA, ID, OTHER };

static void keep(char *into, unsigned char *len, size_t most, const char *at, size_t more) {
    size_t room = most - *len, some = more < room ? more : room;
    memcpy(into + *len, at, some);
    *len = (unsigned char)(*len + some);
}

static void add(struct items *items, const char *at, size_t len) {
    switch (items->what) {
    case NAME:
        keep(items->key, &items->key_len, ITEMS_KEY_MAX, at, len);
        break;
    case DATA:
        keep(items->head, &items->head_len, SCAN_HEAD_MAX, at, len);
        items->data_len += len;
        break;
    case ID:
        keep(items->pending, &items->pending_len, SCAN_ID_MAX, at, len);
        break;
    default:
        break;
    }
}

static void begin_string(struct items *items) {
    struct bytes key = bytes_make(items->key, items->key_len);
    items->state = WITHIN;
    items->what = !items->value           ? NAME
                  : bytes_is(key, "data") ? DATA
                  : bytes_is(key, "id")   ? ID
                                          : OTHER;
    if (items->what == NAME) {
        items->key_len = 0;
    } else if (items->what == DATA) {
        items->has_data = true;
        items->data_len = items->head_len = 0;
    } else if (items->what == ID) {
        items->pending_len = 0;
    }
}

static void end_object(struct items *items, scan_found *found, void *ctx) {
    if (items->pending_len) {
        // One that fills its room may have been cut, and would be another.
        items->id_len = items->pending_len < SCAN_ID_MAX ? items->pending_len : 0;
        memcpy(items->id, items->pending, items->id_len);
        items->pending_len = 0;
    }
    if (items->has_data) {
        items->has_data = false;
        found(ctx, bytes_make(items->head, items->head_len), items->data_len);
    }
}

static void take_between(struct items *items, char c, scan_found *found, void *ctx) {
    switch (c) {
    case '"':
        begin_string(items);
        break;
    case ':':
        items->value = true;
        break;
    case '{':
    case ',':
        items->value = false;
        break;
    case '}':
        end_object(items, found, ctx);
        break;
    default:
        break;
    }
}

// How much there is before what ends the string, or its next escape.
static size_t run_length(const char *at, size_t len) {
    const char *stop = memchr(at, '"', len);
    size_t run = stop ? (size_t)(stop - at) : len;
    stop = memchr(at, '\\', run);
    return stop ? (size_t)(stop - at) : run;
}

static const char *take_within(struct items *items, const char *at, const char *end) {
    size_t len = run_length(at, (size_t)(end - at));
    add(items, at, len);
    at += len;
    if (at < end) {
        items->state = *at == '"' ? BETWEEN : ESCAPED;
        at++;
    }
    return at;
}

static void take_escaped(struct items *items, char c) {
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *letter = memchr(letters, c, sizeof(letters) - 1);
    items->state = c == 'u' ? DIGITS : WITHIN;
    items->digits = 0;
    items->code = 0;
    if (c != 'u') {
        add(items, letter ? &meant[letter - letters] : &c, 1);
    }
}

// Of what is beyond ASCII only the length counts; a half of a pair has half of the pair's four bytes.
static void take_digit(struct items *items, char c) {
    unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
    items->code = items->code << 4 | (digit & 15);
    if (++items->digits < 4) {
        return;
    }
    char letter = (char)items->code;
    bool half = items->code >> 11 == 0xD800 >> 11;
    items->state = WITHIN;
    if (items->code < 0x80) {
        add(items, &letter, 1);
    } else {
        add(items, "???", items->code < 0x800 || half ? 2 : 3);
    }
}

void items_feed(struct items *items, struct bytes piece, scan_found *found, void *ctx) {
    const char *at = piece.at, *end = at + piece.len;
    while (at < end) {
        switch (items->state) {
        case BETWEEN:
            take_between(items, *at++, found, ctx);
            break;
        case WITHIN:
            at = take_within(items, at, end);
            break;
        case ESCAPED:
            take_escaped(items, *at++);
            break;
        default:
            take_digit(items, *at++);
            break;
        }
    }
}
