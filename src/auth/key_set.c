// Keys in the order in which they were added. A handful, so they are looked through.
#include "auth/key_set.h"

#include <stdlib.h>

#include "auth/jwk.h"
#include "base/error.h"
#include "base/json.h"

enum { JWK_DEPTH = 16 };

void key_set_init(struct key_set *set) {
    *set = (struct key_set){0};
}

static void cut(struct key_set *set, size_t count) {
    while (set->count > count) {
        key_finish(&set->keys[--set->count]);
    }
}

void key_set_finish(struct key_set *set) {
    cut(set, 0);
    free(set->keys);
    key_set_init(set);
}

// Room for one key more, which is not counted yet.
static struct key *make_room(struct key_set *set) {
    struct key *keys = realloc(set->keys, (set->count + 1) * sizeof(*keys));
    if (!keys) {
        return NULL;
    }
    set->keys = keys;
    return &keys[set->count];
}

static int add_jwk(struct key_set *set, struct bytes jwk, const char **problem) {
    if (set->count == KEY_SET_MAX) {
        *problem = "there are more than 256 keys";
        return ERR_INVALID;
    }
    struct key *key = make_room(set);
    int rc = key ? jwk_read(key, jwk, problem) : ERR_NOMEM;
    set->count += rc == 0;
    return rc;
}

static int add_all(struct key_set *set, struct bytes array, const char **problem) {
    struct json_iter iter;
    struct bytes jwk;
    int rc = 0;
    if (json_array_init(&iter, array)) {
        *problem = "`keys` is an array";
        return ERR_INVALID;
    }
    while (rc == 0 && json_array_next(&iter, &jwk) == 1) {
        rc = add_jwk(set, jwk, problem);
        rc = rc == ERR_NOT_FOUND ? 0 : rc;
    }
    return rc;
}

// The member `keys` of the object; at NULL: there is none.
static int find_keys(struct bytes object, struct bytes *keys) {
    struct json_iter iter;
    struct bytes value;
    struct buf name;
    int rc = json_object_init(&iter, object);
    *keys = bytes_make(NULL, 0);
    buf_init(&name, &mem_libc, 0);
    while (rc == 0 && (rc = json_object_next(&iter, &name, &value)) == 1) {
        *keys = bytes_is(buf_bytes(&name), "keys") ? value : *keys;
        rc = 0;
    }
    buf_finish(&name);
    return rc;
}

static int add_json(struct key_set *set, struct bytes text, const char **problem) {
    struct bytes value, keys;
    if (json_validate(text, JWK_DEPTH, &value)) {
        *problem = "it is neither PEM nor JSON";
        return ERR_INVALID;
    }
    int rc = find_keys(value, &keys);
    if (rc) {
        *problem = "it is no JSON Web Key";
        return rc;
    }
    return keys.at ? add_all(set, keys, problem) : add_jwk(set, value, problem);
}

static int add_pem(struct key_set *set, struct bytes text, const char **problem) {
    struct key *key = make_room(set);
    int rc = key ? key_from_pem(key, text, problem) : ERR_NOMEM;
    set->count += rc == 0;
    return rc;
}

int key_set_add(struct key_set *set, struct bytes text, const char **problem) {
    size_t before = set->count;
    bool pem = text.len && memmem(text.at, text.len, "-----BEGIN ", 11);
    int rc = pem ? add_pem(set, text, problem) : add_json(set, text, problem);
    if (rc == ERR_NOT_FOUND || (rc == 0 && set->count == before)) {
        *problem = "there is no key in it that tokens can be signed with";
        rc = ERR_INVALID;
    }
    if (rc) {
        cut(set, before);
    }
    return rc;
}

int key_set_add_secret(struct key_set *set, struct bytes secret, const char **problem) {
    struct key *key = make_room(set);
    int rc = key ? key_from_secret(key, secret, problem) : ERR_NOMEM;
    set->count += rc == 0;
    return rc;
}

static bool fits(const struct key *key, const struct algorithm *algorithm, struct bytes id) {
    bool named = id.len == 0 || key->id.len == 0 || bytes_equal(key->id, id);
    return named && key->family == algorithm->family && (!key->only || key->only == algorithm);
}

bool key_set_verify(const struct key_set *set, const struct algorithm *algorithm, struct bytes id,
                    struct bytes text, struct bytes signature, bool *known) {
    unsigned tried = 0;
    *known = false;
    for (size_t i = 0; i < set->count && tried < KEY_CANDIDATES_MAX; i++) {
        if (fits(&set->keys[i], algorithm, id)) {
            *known = true;
            tried++;
            if (key_verify(&set->keys[i], algorithm, text, signature)) {
                return true;
            }
        }
    }
    return false;
}
