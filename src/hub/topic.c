// The rules for names, and matching one name against one pattern without allocating.
#include "hub/topic.h"

#include "freshet/event.h"

static bool is_utf8(struct bytes text) {
    return freshet_utf8_check((struct freshet_text){.at = text.at, .len = text.len}) == text.len;
}

bool topic_walk_next(struct topic_walk *walk, struct bytes *segment) {
    if (!walk->next) {
        return false;
    }
    size_t left = (size_t)(walk->end - walk->next);
    const char *slash = left ? memchr(walk->next, '/', left) : NULL;
    *segment = bytes_make(walk->next, slash ? (size_t)(slash - walk->next) : left);
    walk->next = slash ? slash + 1 : NULL;
    return true;
}

const char *topic_problem(struct bytes text) {
    struct topic_walk walk = topic_walk(text);
    struct bytes segment;
    if (text.len == 0) {
        return "a topic needs a name";
    }
    if (text.len > TOPIC_NAME_MAX) {
        return "the topic's name is longer than 256 bytes";
    }
    if (bytes_have_control(text) || !is_utf8(text)) {
        return "a topic's name is UTF-8 without control characters";
    }
    while (topic_walk_next(&walk, &segment)) {
        if (bytes_is(segment, "**") && walk.next) {
            return "`**` can only be the last segment of a pattern";
        }
    }
    return NULL;
}

bool topic_is_pattern(struct bytes text) {
    struct topic_walk walk = topic_walk(text);
    struct bytes segment;
    while (topic_walk_next(&walk, &segment)) {
        if (bytes_is(segment, "*") || bytes_is(segment, "**")) {
            return true;
        }
    }
    return false;
}

bool topic_matches(struct bytes pattern, struct bytes topic) {
    struct topic_walk wanted = topic_walk(pattern), given = topic_walk(topic);
    struct bytes want, have;
    while (topic_walk_next(&wanted, &want)) {
        if (!topic_walk_next(&given, &have)) {
            return false;
        }
        if (bytes_is(want, "**")) {
            return true;
        }
        if (bytes_is(want, "*") ? have.len == 0 : !bytes_equal(want, have)) {
            return false;
        }
    }
    return !topic_walk_next(&given, &have);
}
