// The API keys that a server knows: a file with a line for each, which says its name, its hash and what
// it lets its bearer do. It holds no key, so that whoever reads it can do nothing with it. Immutable,
// shared, and replaced as a whole. Any thread.
#ifndef AUTH_API_KEYS_H
#define AUTH_API_KEYS_H

#include "auth/api_key.h"
#include "auth/identity.h"

enum {
    API_KEYS_MAX = 4096,
    API_KEYS_FILE_MAX = 1024 * 1024,
    API_KEYS_LINE_MAX = 8192,
    API_KEY_NAME_MAX = 64,
    API_KEYS_PROBLEM_MAX = 200,
};

struct api_key;

struct api_keys {
    atomic_uint refs;
    struct api_key *items; // by their hashes
    size_t count;
};

// Reads the text of a file:
//
//     # anything
//     NAME sha256:HASH [publish=PATTERN]… [subscribe=PATTERN]… [admin] [expires=TIME]
//
// 0; ERR_NOMEM; or ERR_INVALID and `problem` says what is wrong, and in which line, without saying
// what stands there: somebody may have put a key where its hash belongs. With one reference, the
// caller's.
int api_keys_create(struct api_keys **out, struct bytes text, char problem[API_KEYS_PROBLEM_MAX]);
struct api_keys *api_keys_ref(struct api_keys *keys);
void api_keys_unref(struct api_keys *keys); // NULL is harmless

// For whom the key of this hash speaks, without a reference; NULL: there is no such key.
struct identity *api_keys_find(const struct api_keys *keys, const unsigned char *hash);

// What is wrong with the name of a key: a sentence, or NULL.
const char *api_keys_name_problem(struct bytes name);

// Whether a text of a file has a line for this name.
bool api_keys_has_name(struct bytes text, struct bytes name);

// Appends a pattern as it stands in a line, where blanks part words. 0 or ERR_NOMEM.
int api_keys_append_pattern(struct buf *out, struct bytes pattern);

#endif
