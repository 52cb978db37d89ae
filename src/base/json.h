// JSON as text (RFC 8259, strictly): finds its way through a document and hands out slices of it.
// It never turns a value into numbers and back, so what was published is what arrives
// (docs/design/json-as-text.md). Nothing here recurses, and each call is linear in what it reads.
// Pure: any thread; memory is the caller's buffers'.
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/bytes.h"

enum { JSON_DEPTH_MAX = 512 }; // of nested arrays and objects, whatever the caller asks for

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

// Checks that `text` is one value, in valid UTF-8, with at most white space around it. *value is
// the slice of it without that space. ERR_INVALID, or ERR_TOO_LARGE when it nests deeper than
// max_depth (0: a lone scalar; at most JSON_DEPTH_MAX). A byte order mark is invalid.
int json_validate(struct bytes text, unsigned max_depth, struct bytes *value);

// All that follow take a value that json_validate accepted, or a slice of one that they gave out
// themselves. Given anything else they stay within its bounds and answer ERR_INVALID or nonsense.

enum json_kind json_kind(struct bytes value);

// The members of an object or the elements of an array, in order; a key that comes twice comes
// twice.
struct json_iter {
    struct bytes rest;
};

// ERR_INVALID when the value is not an object, not an array.
int json_object_init(struct json_iter *iter, struct bytes object);
int json_array_init(struct json_iter *iter, struct bytes array);

// 1 and the next member, with its key decoded into `key` (what that held is dropped) and its value
// as a slice; 0 at the end; ERR_NOMEM or ERR_TOO_LARGE from `key`.
int json_object_next(struct json_iter *iter, struct buf *key, struct bytes *value);

// 1 and the next element as a slice; 0 at the end.
int json_array_next(struct json_iter *iter, struct bytes *value);

// Appends what the string (with its quotes) means, in UTF-8; it may hold NULs. Half of a surrogate
// pair becomes U+FFFD, as it does wherever a browser encodes one. 0; ERR_INVALID, ERR_NOMEM or
// ERR_TOO_LARGE, and then `out` is as it was.
int json_string_decode(struct bytes string, struct buf *out);

// Appends the value without the white space that means nothing; all else stays byte for byte. It
// never ends up longer. 0, ERR_NOMEM or ERR_TOO_LARGE, and then `out` is as it was.
int json_compact(struct bytes value, struct buf *out);

// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes. 0, ERR_NOMEM or
// ERR_TOO_LARGE, and then `out` is as it was.
int json_append_string(struct buf *out, struct bytes text);

// The same without the quotes, for a string that is put together from pieces.
int json_append_escaped(struct buf *out, struct bytes text);

#endif
