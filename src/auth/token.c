// Taking a token apart. Of the header only `alg` and `kid` are used, both to choose among the keys
// that are there: a key that a token brings along or points to (`jwk`, `jku`, `x5c`, `x5u`) is never
// looked at. What would change the meaning of the rest (`crit`, `zip`, a token inside) is refused.
#include "auth/token.h"

#include "auth/base64url.h"
#include "base/error.h"
#include "base/json.h"

struct parts {
    struct bytes header, payload, signature, text; // text: what is signed
};

struct header {
    const struct algorithm *algorithm;
    struct buf id;
    unsigned algorithms, ids; // how often each was named
    bool strange;
};

const char *token_fault_text(enum token_fault fault) {
    switch (fault) {
    case TOKEN_FINE:
        return "the token is fine";
    case TOKEN_MALFORMED:
        return "this is no token: three parts in base64 for URLs, divided by dots, are expected";
    case TOKEN_ALGORITHM:
        return "the token is signed in a way that is not accepted here";
    case TOKEN_UNKNOWN_KEY:
        return "the token is signed with a key that is not known here";
    case TOKEN_FORGED:
        return "the token's signature is wrong";
    case TOKEN_NOMEM:
        break;
    }
    return "there is not enough memory to look at the token";
}

static bool divide(struct bytes text, struct parts *parts) {
    const char *first = text.len ? memchr(text.at, '.', text.len) : NULL;
    const char *last = text.len ? memrchr(text.at, '.', text.len) : NULL;
    if (text.len > TOKEN_MAX || !first || first == last ||
        memchr(first + 1, '.', (size_t)(last - first - 1))) {
        return false;
    }
    const char *end = text.at + text.len;
    parts->header = bytes_make(text.at, (size_t)(first - text.at));
    parts->payload = bytes_make(first + 1, (size_t)(last - first - 1));
    parts->signature = bytes_make(last + 1, (size_t)(end - last - 1));
    parts->text = bytes_make(text.at, (size_t)(last - text.at));
    return parts->signature.len > 0;
}

static enum token_fault fault_of(int rc) {
    return rc == 0 ? TOKEN_FINE : rc == ERR_NOMEM ? TOKEN_NOMEM : TOKEN_MALFORMED;
}

static int take_algorithm(struct header *header, struct bytes value) {
    struct buf name;
    buf_init(&name, &mem_libc, 0);
    int rc = json_kind(value) == JSON_STRING ? json_string_decode(value, &name) : ERR_INVALID;
    header->algorithm = rc ? NULL : algorithm_find(buf_bytes(&name));
    header->algorithms++;
    buf_finish(&name);
    return rc;
}

static int take_member(struct header *header, struct bytes name, struct bytes value) {
    if (bytes_is(name, "alg")) {
        return take_algorithm(header, value);
    }
    if (bytes_is(name, "kid")) {
        header->ids++;
        buf_clear(&header->id);
        return json_kind(value) == JSON_STRING ? json_string_decode(value, &header->id)
                                               : ERR_INVALID;
    }
    // A token inside a token says so in `cty`.
    header->strange |= bytes_is(name, "crit") || bytes_is(name, "zip") || bytes_is(name, "b64") ||
                       bytes_is(name, "cty");
    return 0;
}

static int read_members(struct header *header, struct bytes object) {
    struct json_iter iter;
    struct bytes value;
    struct buf name;
    int rc = json_object_init(&iter, object);
    buf_init(&name, &mem_libc, 0);
    while (rc == 0 && (rc = json_object_next(&iter, &name, &value)) == 1) {
        rc = take_member(header, buf_bytes(&name), value);
    }
    buf_finish(&name);
    return rc;
}

static int decode_object(struct bytes text, struct buf *room, struct bytes *object) {
    buf_clear(room);
    int rc = base64url_decode(text, room);
    rc = rc ? rc : json_validate(buf_bytes(room), TOKEN_DEPTH_MAX, object);
    return rc == 0 && json_kind(*object) != JSON_OBJECT ? ERR_INVALID : rc;
}

static enum token_fault read_header(struct header *header, struct bytes text, struct buf *room) {
    struct bytes object;
    int rc = decode_object(text, room, &object);
    rc = rc ? rc : read_members(header, object);
    if (rc || header->algorithms != 1 || header->ids > 1) {
        return fault_of(rc ? rc : ERR_INVALID);
    }
    return header->algorithm && !header->strange ? TOKEN_FINE : TOKEN_ALGORITHM;
}

static enum token_fault verify(const struct key_set *keys, const struct header *header,
                               const struct parts *parts, struct buf *room) {
    bool known;
    buf_clear(room);
    int rc = base64url_decode(parts->signature, room);
    if (rc) {
        return fault_of(rc);
    }
    bool right = key_set_verify(keys, header->algorithm, buf_bytes(&header->id), parts->text,
                                buf_bytes(room), &known);
    return right ? TOKEN_FINE : known ? TOKEN_FORGED : TOKEN_UNKNOWN_KEY;
}

enum token_fault token_open(const struct key_set *keys, struct bytes text, struct buf *room,
                            struct bytes *claims) {
    struct parts parts;
    struct header header = {0};
    if (!divide(text, &parts)) {
        return TOKEN_MALFORMED;
    }
    buf_init(&header.id, &mem_libc, TOKEN_MAX);
    enum token_fault fault = read_header(&header, parts.header, room);
    fault = fault ? fault : verify(keys, &header, &parts, room);
    // Nothing of the payload is read before its signature is known to be right.
    fault = fault ? fault : fault_of(decode_object(parts.payload, room, claims));
    buf_finish(&header.id);
    return fault;
}
