// Values beside each other: whether two are the same, a copy in the place of another, and a value as
// one would write it.
#include <stdio.h>

#include "cli/options_private.h"

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(const struct texts *a, const struct texts *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = same_text(a->items[i], b->items[i]);
    }
    return same;
}

bool option_same(const struct option *option, const void *a, const void *b) {
    switch (option->type) {
    case OPTION_FLAG:
        return *(const bool *)a == *(const bool *)b;
    case OPTION_TEXT:
    case OPTION_ADDRESS:
        return same_text(*(char *const *)a, *(char *const *)b);
    case OPTION_LIST:
    case OPTION_LINES:
        return same_texts(a, b);
    case OPTION_COUNT:
    case OPTION_SIZE:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case OPTION_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case OPTION_CHOICE:
        return *(const int *)a == *(const int *)b;
    }
    return false;
}

static int copy_list(const struct mem *mem, struct texts *to, const struct texts *from) {
    struct texts copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        if (option_list_append(mem, &copy, bytes_of(from->items[i]))) {
            option_list_finish(mem, &copy);
            return ERR_NOMEM;
        }
    }
    option_list_finish(mem, to);
    *to = copy;
    return 0;
}

static int copy_text(const struct mem *mem, char **to, const char *from) {
    size_t size = from ? strlen(from) + 1 : 0;
    char *copy = from ? mem_alloc(mem, size) : NULL;
    if (from && !copy) {
        return ERR_NOMEM;
    }
    if (copy) {
        memcpy(copy, from, size);
    }
    mem_free(mem, *to);
    *to = copy;
    return 0;
}

int option_copy(const struct mem *mem, const struct option *option, void *to, const void *from) {
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)to = *(const bool *)from;
        return 0;
    case OPTION_TEXT:
    case OPTION_ADDRESS:
        return copy_text(mem, to, *(char *const *)from);
    case OPTION_LIST:
    case OPTION_LINES:
        return copy_list(mem, to, from);
    case OPTION_COUNT:
    case OPTION_SIZE:
        *(uint64_t *)to = *(const uint64_t *)from;
        return 0;
    case OPTION_DURATION:
        *(int64_t *)to = *(const int64_t *)from;
        return 0;
    case OPTION_CHOICE:
        *(int *)to = *(const int *)from;
        return 0;
    }
    return ERR_INVALID;
}

static void list_text(const struct texts *list, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count && used < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", list->items[i]);
    }
}

void option_text(const struct option *option, const void *at, char *out, size_t size) {
    const char *text;
    out[0] = '\0';
    if (option->flags & OPTION_SECRET) {
        return;
    }
    switch (option->type) {
    case OPTION_FLAG:
        snprintf(out, size, "%s", *(const bool *)at ? "true" : "false");
        break;
    case OPTION_TEXT:
    case OPTION_ADDRESS:
        text = *(char *const *)at;
        snprintf(out, size, "%s", text ? text : "");
        break;
    case OPTION_LIST:
    case OPTION_LINES:
        list_text(at, out, size);
        break;
    case OPTION_COUNT:
    case OPTION_SIZE:
        option_number_text(option, *(const uint64_t *)at, out, size);
        break;
    case OPTION_DURATION:
        option_number_text(option, (uint64_t) * (const int64_t *)at, out, size);
        break;
    case OPTION_CHOICE:
        snprintf(out, size, "%s", option->choices[*(const int *)at]);
        break;
    }
}
