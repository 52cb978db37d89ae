// Making names and finding their streams. The table is asked by a keyed hash, and what it finds is
// compared as a whole, so that how long it takes says nothing of how much was right.
#include "server/stream_name.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "server/stream.h"
#include "server/worker.h"

enum { SECRET = 16 };

static const char digits[] = "0123456789abcdef";

static void write_byte(char *out, unsigned byte) {
    out[0] = digits[byte >> 4 & 15];
    out[1] = digits[byte & 15];
}

int stream_name_create(struct stream_name **out, const struct worker *worker) {
    unsigned char secret[SECRET];
    struct stream_name *name = calloc(1, sizeof(*name));
    if (!name) {
        return ERR_NOMEM;
    }
    int rc = random_seed(secret, sizeof(secret));
    if (rc) {
        free(name);
        return rc;
    }
    write_byte(name->text, worker->index);
    for (size_t i = 0; i < SECRET; i++) {
        write_byte(name->text + 2 + 2 * i, secret[i]);
    }
    *out = name;
    return 0;
}

void stream_name_destroy(struct stream_name **name) {
    if (*name && (*name)->stream) {
        map_remove(&(*name)->stream->worker->names, &(*name)->node);
    }
    free(*name);
    *name = NULL;
}

static uint64_t hash_of(const struct worker *worker, struct bytes text) {
    return hash_bytes(&worker->server->hash_key, text.at, text.len);
}

int stream_name_give(struct stream_name *name, struct stream *stream) {
    struct worker *worker = stream->worker;
    if (map_insert(&worker->names, &name->node, hash_of(worker, stream_name_text(name)))) {
        free(name);
        return ERR_NOMEM;
    }
    name->stream = stream;
    stream->name = name;
    return 0;
}

static int digit_of(char c) {
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

struct worker *stream_name_worker(const struct server *server, struct bytes text) {
    if (text.len != STREAM_NAME_LEN) {
        return NULL;
    }
    int high = digit_of(text.at[0]), low = digit_of(text.at[1]);
    unsigned index = high < 0 || low < 0 ? server->worker_count : (unsigned)(high * 16 + low);
    return index < server->worker_count ? server->workers[index] : NULL;
}

static bool same_name(const struct map_node *node, const void *key) {
    const struct stream_name *name = container_of(node, struct stream_name, node);
    const char *text = key;
    unsigned differs = 0;
    for (size_t i = 0; i < STREAM_NAME_LEN; i++) {
        differs |= (unsigned)(name->text[i] ^ text[i]);
    }
    return differs == 0;
}

struct stream *stream_name_find(const struct worker *worker, struct bytes text) {
    if (text.len != STREAM_NAME_LEN) {
        return NULL;
    }
    struct map_node *node = map_find(&worker->names, hash_of(worker, text), same_name, text.at);
    return node ? container_of(node, struct stream_name, node)->stream : NULL;
}
