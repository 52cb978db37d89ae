// Reading the file, strictly: a word that is not known may be a limit that somebody relies on. Keys lie
// sorted by their hashes and are found by bisection. How long that takes tells of a hash what nobody
// can use: whoever shows a key cannot choose where its hash lies.
#include "auth/api_keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/time.h"
#include "http/url.h"
#include "hub/topic.h"

static const char HASH_PREFIX[] = "sha256:";

struct api_key {
    unsigned char hash[API_KEY_HASH];
    struct identity *identity;
};

// A line as it is being read.
struct line {
    struct claims claims;
    unsigned char hash[API_KEY_HASH];
    const char *problem; // a sentence; NULL with a failure: no memory
    struct buf room;     // for one pattern at a time
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

// The next word of the line; false after the last.
static bool next_word(struct bytes *line, struct bytes *word) {
    size_t at = 0;
    while (at < line->len && is_blank(line->at[at])) {
        at++;
    }
    size_t end = at;
    while (end < line->len && !is_blank(line->at[end])) {
        end++;
    }
    *word = bytes_make(line->at + at, end - at);
    *line = bytes_make(line->at + end, line->len - end);
    return word->len > 0;
}

static struct bytes next_line(struct bytes *text) {
    const char *end = memchr(text->at, '\n', text->len);
    struct bytes line = bytes_make(text->at, end ? (size_t)(end - text->at) : text->len);
    size_t used = line.len + (end != NULL);
    *text = bytes_make(text->at + used, text->len - used);
    return line;
}

const char *api_keys_name_problem(struct bytes name) {
    bool fine = name.len > 0 && name.len <= API_KEY_NAME_MAX && name.at[0] != '#';
    for (size_t i = 0; fine && i < name.len; i++) {
        char c = name.at[i];
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    }
    return fine ? NULL : "a key's name is 1 to 64 letters, digits, dots, hyphens and underscores";
}

bool api_keys_has_name(struct bytes text, struct bytes name) {
    while (text.len) {
        struct bytes line = next_line(&text), word;
        if (next_word(&line, &word) && bytes_equal(word, name)) {
            return true;
        }
    }
    return false;
}

int api_keys_append_pattern(struct buf *out, struct bytes pattern) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < pattern.len; i++) {
        char c = pattern.at[i];
        rc = is_blank(c) || c == '%' ? buf_printf(out, "%%%02X", (unsigned)(unsigned char)c)
                                     : buf_append(out, &c, 1);
    }
    return rc;
}

// --- one line ---

static int digit_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_hash(struct bytes word, unsigned char hash[API_KEY_HASH]) {
    size_t skip = strlen(HASH_PREFIX);
    if (!bytes_starts_with(word, HASH_PREFIX) || word.len != skip + 2 * (size_t)API_KEY_HASH) {
        return false;
    }
    for (size_t i = 0; i < API_KEY_HASH; i++) {
        int high = digit_of(word.at[skip + 2 * i]), low = digit_of(word.at[skip + 2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        hash[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static int refuse(struct line *line, const char *problem) {
    line->problem = problem;
    return ERR_INVALID;
}

static int read_pattern(struct line *line, struct bytes text, enum right right) {
    buf_clear(&line->room);
    int rc = http_path_decode(text, &line->room);
    if (rc) {
        return rc == ERR_INVALID ? refuse(line, "a pattern has a bad percent escape") : rc;
    }
    const char *problem = topic_problem(buf_bytes(&line->room));
    if (problem) {
        return refuse(line, problem);
    }
    rc = grants_add(&line->claims.grants, buf_bytes(&line->room), right);
    return rc == ERR_TOO_LARGE ? refuse(line, "a key has at most 1024 patterns") : rc;
}

static int read_expiry(struct line *line, struct bytes text) {
    int64_t *expires = &line->claims.expires_ms;
    if (*expires) {
        return refuse(line, "`expires` comes twice");
    }
    bool fine = http_time_parse(text, expires) == 0 && *expires > 0;
    return fine ? 0 : refuse(line, "`expires` takes a time as 2030-01-31T12:00:00Z");
}

// What follows a prefix; .at NULL: the word has another.
static struct bytes after(struct bytes word, const char *prefix) {
    size_t len = strlen(prefix);
    return bytes_starts_with(word, prefix) ? bytes_make(word.at + len, word.len - len)
                                           : bytes_make(NULL, 0);
}

static int read_word(struct line *line, struct bytes word) {
    struct bytes publish = after(word, "publish="), subscribe = after(word, "subscribe="),
                 expires = after(word, "expires=");
    if (publish.at) {
        return read_pattern(line, publish, RIGHT_PUBLISH);
    }
    if (subscribe.at) {
        return read_pattern(line, subscribe, RIGHT_SUBSCRIBE);
    }
    if (expires.at) {
        return read_expiry(line, expires);
    }
    if (bytes_is(word, "admin")) {
        line->claims.admin = true;
        return 0;
    }
    return refuse(line, "after the hash come publish=…, subscribe=…, admin and expires=…, nothing "
                        "else");
}

static int read_line(struct line *line, struct bytes rest) {
    struct bytes word;
    (void)next_word(&rest, &word);
    const char *problem = api_keys_name_problem(word);
    if (problem) {
        return refuse(line, problem);
    }
    int rc = buf_append(&line->claims.subject, word.at, word.len);
    if (rc == 0 && (!next_word(&rest, &word) || !read_hash(word, line->hash))) {
        return refuse(line, "after the name comes sha256: and the 64 digits of the hash; freshet "
                            "key makes such a line");
    }
    while (rc == 0 && next_word(&rest, &word)) {
        rc = read_word(line, word);
    }
    return rc;
}

// --- the file ---

static int add(struct api_keys *keys, struct line *line) {
    size_t room = keys->count ? keys->count * 2 : 8;
    if (keys->count == API_KEYS_MAX) {
        return refuse(line, "there are more than 4096 keys");
    }
    // A power of two is full.
    if ((keys->count & (keys->count - 1)) == 0 && (keys->count == 0 || keys->count >= 8)) {
        struct api_key *items = realloc(keys->items, room * sizeof(*items));
        if (!items) {
            return ERR_NOMEM;
        }
        keys->items = items;
    }
    struct api_key *key = &keys->items[keys->count];
    memcpy(key->hash, line->hash, API_KEY_HASH);
    key->identity = identity_create_of_key(&line->claims, line->hash);
    grants_init(&line->claims.grants); // they went with the identity, or are gone
    buf_init(&line->claims.subject, &mem_libc, 0);
    keys->count += key->identity != NULL;
    return key->identity ? 0 : ERR_NOMEM;
}

static int read_one(struct api_keys *keys, struct bytes text, const char **problem) {
    struct line line = {.problem = NULL};
    grants_init(&line.claims.grants);
    buf_init(&line.claims.subject, &mem_libc, 0);
    buf_init(&line.room, &mem_libc, 0);
    int rc = text.len > API_KEYS_LINE_MAX ? refuse(&line, "the line is longer than 8192 bytes")
                                          : read_line(&line, text);
    rc = rc ? rc : add(keys, &line);
    claims_finish(&line.claims);
    buf_finish(&line.room);
    *problem = line.problem;
    return rc;
}

static int by_hash(const void *a, const void *b) {
    const struct api_key *left = a, *right = b;
    return memcmp(left->hash, right->hash, API_KEY_HASH);
}

static struct bytes name_of(const struct identity *identity) {
    return buf_bytes(&identity->claims.subject);
}

static int by_name(const void *a, const void *b) {
    const struct api_key *left = a, *right = b;
    return bytes_compare(name_of(left->identity), name_of(right->identity));
}

// Sorts them; says which two are the same.
static const char *find_repeated(struct api_keys *keys, struct bytes *name) {
    if (keys->count) {
        qsort(keys->items, keys->count, sizeof(keys->items[0]), by_name);
    }
    for (size_t i = 1; i < keys->count; i++) {
        *name = name_of(keys->items[i].identity);
        if (bytes_equal(name_of(keys->items[i - 1].identity), *name)) {
            return "two keys have the same name";
        }
    }
    if (keys->count) {
        qsort(keys->items, keys->count, sizeof(keys->items[0]), by_hash);
    }
    for (size_t i = 1; i < keys->count; i++) {
        *name = name_of(keys->items[i].identity);
        if (by_hash(&keys->items[i - 1], &keys->items[i]) == 0) {
            return "two keys have the same hash";
        }
    }
    return NULL;
}

static int read_all(struct api_keys *keys, struct bytes text, char problem[API_KEYS_PROBLEM_MAX]) {
    struct bytes name;
    for (unsigned number = 1; text.len; number++) {
        struct bytes line = next_line(&text), rest = line, word;
        const char *why;
        if (!next_word(&rest, &word) || word.at[0] == '#') {
            continue;
        }
        int rc = read_one(keys, line, &why);
        if (rc) {
            snprintf(problem, API_KEYS_PROBLEM_MAX, "line %u: %s", number,
                     why ? why : "not enough memory");
            return rc;
        }
    }
    const char *repeated = find_repeated(keys, &name);
    if (repeated) {
        snprintf(problem, API_KEYS_PROBLEM_MAX, "%s: %.*s", repeated, (int)name.len, name.at);
    }
    return repeated ? ERR_INVALID : 0;
}

int api_keys_create(struct api_keys **out, struct bytes text, char problem[API_KEYS_PROBLEM_MAX]) {
    struct api_keys *keys = calloc(1, sizeof(*keys));
    *out = NULL;
    problem[0] = '\0';
    if (!keys) {
        return ERR_NOMEM;
    }
    atomic_init(&keys->refs, 1);
    int rc = read_all(keys, text, problem);
    if (rc) {
        api_keys_unref(keys);
    } else {
        *out = keys;
    }
    return rc;
}

struct api_keys *api_keys_ref(struct api_keys *keys) {
    if (keys) {
        atomic_fetch_add_explicit(&keys->refs, 1, memory_order_relaxed);
    }
    return keys;
}

void api_keys_unref(struct api_keys *keys) {
    if (keys && atomic_fetch_sub_explicit(&keys->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < keys->count; i++) {
            identity_unref(keys->items[i].identity);
        }
        free(keys->items);
        free(keys);
    }
}

struct identity *api_keys_find(const struct api_keys *keys, const unsigned char *hash) {
    size_t low = 0, high = keys ? keys->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(keys->items[middle].hash, hash, API_KEY_HASH);
        if (order == 0) {
            return keys->items[middle].identity;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}
