// JSON answers, read as text. The bodies come from a server, so they are checked whole before any
// of it is believed.
#include "client/answer.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

enum { DEPTH_MAX = 16, KEY_MAX = 4096, TEXT_MAX = 64 * 1024 };

// The string member of that name into `out` (empty without one): 0 or ERR_NOMEM.
static int string_member(const struct mem *mem, struct bytes object, const char *name,
                         struct buf *out) {
    struct json_iter iter;
    struct bytes value;
    struct buf key;
    int got = 0;
    buf_init(&key, mem, KEY_MAX);
    buf_clear(out);
    if (json_kind(object) == JSON_OBJECT && json_object_init(&iter, object) == 0) {
        while ((got = json_object_next(&iter, &key, &value)) > 0) {
            if (bytes_is(buf_bytes(&key), name) && json_kind(value) == JSON_STRING) {
                buf_clear(out);
                got = json_string_decode(value, out);
                break;
            }
        }
    }
    buf_finish(&key);
    return got == ERR_NOMEM ? ERR_NOMEM : 0;
}

static void one_line(struct bytes text, char *out, size_t size) {
    snprintf(out, size, "%.*s", (int)text.len, text.len ? text.at : "");
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
}

static bool detail_of(const struct mem *mem, struct bytes object, char *out, size_t size) {
    struct buf text;
    buf_init(&text, mem, TEXT_MAX);
    if (string_member(mem, object, "detail", &text) != 0 || text.len == 0) {
        string_member(mem, object, "title", &text);
    }
    one_line(buf_bytes(&text), out, size);
    buf_finish(&text);
    return *out != '\0';
}

bool answer_detail(const struct mem *mem, struct bytes body, char *out, size_t size) {
    struct bytes value;
    out[0] = '\0';
    return body.len && json_validate(body, DEPTH_MAX, &value) == 0 &&
           detail_of(mem, value, out, size);
}

static int visit_item(const struct mem *mem, struct bytes object, answer_item *visit,
                      void *user_data) {
    char detail[400] = "";
    struct buf id;
    if (json_kind(object) != JSON_OBJECT) {
        return ERR_INVALID;
    }
    buf_init(&id, mem, TEXT_MAX);
    int rc = string_member(mem, object, "id", &id);
    if (rc == 0) {
        if (id.len == 0) {
            detail_of(mem, object, detail, sizeof(detail));
        }
        visit(user_data, buf_bytes(&id), detail);
    }
    buf_finish(&id);
    return rc;
}

int answer_items(const struct mem *mem, struct bytes body, answer_item *visit, void *user_data) {
    struct bytes value, element;
    struct json_iter iter;
    if (body.len == 0 || json_validate(body, DEPTH_MAX, &value) != 0) {
        return ERR_INVALID;
    }
    if (json_kind(value) != JSON_ARRAY) {
        return visit_item(mem, value, visit, user_data);
    }
    int rc = json_array_init(&iter, value);
    while (rc == 0 && json_array_next(&iter, &element) > 0) {
        rc = visit_item(mem, element, visit, user_data);
    }
    return rc;
}
