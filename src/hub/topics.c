// The table of topics. A topic that no feed names is kept only as an answer ("these patterns match
// it, or none does"), and the least recently used answers go when there are too many.
#include "hub/topics.h"

#include "base/error.h"

void topics_init(struct topics *topics, const struct mem *mem, const struct hash_key *key,
                 size_t idle_max) {
    // At least one, because the topic in hand is itself among the idle.
    *topics = (struct topics){.mem = mem, .idle_max = idle_max ? idle_max : 1};
    map_init(&topics->map, mem);
    patterns_init(&topics->patterns, mem, key);
    list_init(&topics->idle);
}

static void discard(struct topics *topics, struct topic *topic) {
    if (!list_empty(&topic->idle)) {
        list_remove(&topic->idle);
        topics->idle_count--;
    }
    map_remove(&topics->map, &topic->node);
    mem_free(topics->mem, topic->matches);
    mem_free(topics->mem, topic);
}

static void discard_oldest(struct topics *topics) {
    discard(topics, container_of(topics->idle.next, struct topic, idle));
}

void topics_finish(struct topics *topics) {
    while (!list_empty(&topics->idle)) {
        discard_oldest(topics);
    }
    patterns_finish(&topics->patterns);
    map_finish(&topics->map);
}

static bool same_topic(const struct map_node *node, const void *key) {
    const struct topic *topic = container_of(node, struct topic, node);
    return bytes_equal(bytes_make(topic->name, topic->name_len), *(const struct bytes *)key);
}

static struct topic *find(const struct topics *topics, const struct topic_name *name) {
    struct map_node *node = map_find(&topics->map, name->hash, same_topic, &name->text);
    return node ? container_of(node, struct topic, node) : NULL;
}

static struct topic *create(struct topics *topics, const struct topic_name *name) {
    struct topic *topic = mem_new(topics->mem, sizeof(*topic) + name->text.len);
    if (!topic) {
        return NULL;
    }
    list_init(&topic->subscriptions);
    list_init(&topic->idle);
    // No generation has been looked at yet, whatever the set's is.
    topic->generation = topics->patterns.generation - 1;
    topic->name_len = (uint32_t)name->text.len;
    memcpy(topic->name, name->text.at, name->text.len);
    if (map_insert(&topics->map, &topic->node, name->hash)) {
        mem_free(topics->mem, topic);
        return NULL;
    }
    return topic;
}

static void set_idle(struct topics *topics, struct topic *topic) {
    if (list_empty(&topic->idle)) {
        topics->idle_count++;
    }
    list_remove(&topic->idle);
    list_push_back(&topics->idle, &topic->idle);
    if (topics->idle_count > topics->idle_max) {
        discard_oldest(topics);
    }
}

static void set_named(struct topics *topics, struct topic *topic) {
    if (!list_empty(&topic->idle)) {
        list_remove(&topic->idle);
        topics->idle_count--;
    }
}

static int subscribe_pattern(struct topics *topics, struct bytes text,
                             struct subscription *subscription) {
    struct pattern *pattern = patterns_enter(&topics->patterns, text);
    if (!pattern) {
        return ERR_NOMEM;
    }
    subscription->pattern = pattern;
    patterns_subscribe(&topics->patterns, pattern, &subscription->link);
    return 0;
}

int topics_subscribe(struct topics *topics, const struct selector *selector, struct feed *feed,
                     struct subscription *subscription) {
    *subscription = (struct subscription){.feed = feed, .privy = selector->privy};
    if (selector->pattern) {
        return subscribe_pattern(topics, selector->name.text, subscription);
    }
    struct topic *topic = find(topics, &selector->name);
    topic = topic ? topic : create(topics, &selector->name);
    if (!topic) {
        return ERR_NOMEM;
    }
    set_named(topics, topic);
    subscription->topic = topic;
    list_push_back(&topic->subscriptions, &subscription->link);
    return 0;
}

void topics_unsubscribe(struct topics *topics, struct subscription *subscription) {
    if (subscription->pattern) {
        patterns_unsubscribe(&topics->patterns, subscription->pattern, &subscription->link);
        while (topics->patterns.count == 0 && !list_empty(&topics->idle)) {
            discard_oldest(topics);
        }
        return;
    }
    list_remove(&subscription->link);
    if (!list_empty(&subscription->topic->subscriptions)) {
        return;
    }
    if (topics->patterns.count) {
        set_idle(topics, subscription->topic); // its matches are still an answer
    } else {
        discard(topics, subscription->topic);
    }
}

struct growing {
    struct topics *topics;
    struct topic *topic;
};

static int add_match(void *ctx, struct pattern *pattern) {
    struct growing *g = ctx;
    struct topic *topic = g->topic;
    // A power of two is full: room for the next one is made by doubling.
    if ((topic->match_count & (topic->match_count - 1)) == 0) {
        size_t room = topic->match_count ? (size_t)topic->match_count * 2 : 1;
        void *grown = mem_resize(g->topics->mem, topic->matches, room * sizeof(*topic->matches));
        if (!grown) {
            return ERR_NOMEM;
        }
        topic->matches = grown;
    }
    topic->matches[topic->match_count++] = pattern;
    return 0;
}

static int refresh_matches(struct topics *topics, struct topic *topic) {
    struct growing g = {.topics = topics, .topic = topic};
    if (topic->generation == topics->patterns.generation) {
        return 0;
    }
    mem_free(topics->mem, topic->matches);
    topic->matches = NULL;
    topic->match_count = 0;
    struct bytes name = bytes_make(topic->name, topic->name_len);
    int rc = patterns_match(&topics->patterns, name, add_match, &g);
    topic->generation = topics->patterns.generation - (rc != 0);
    return rc;
}

struct topic *topics_hear(struct topics *topics, const struct topic_name *name, bool *failed) {
    struct topic *topic = find(topics, name);
    if (!topic && topics->patterns.count == 0) {
        return NULL;
    }
    topic = topic ? topic : create(topics, name);
    if (!topic) {
        *failed = true;
        return NULL;
    }
    bool named = !list_empty(&topic->subscriptions);
    if (!named) {
        set_idle(topics, topic); // at once, so that it is in a list whatever comes
    }
    if (refresh_matches(topics, topic)) {
        *failed = true;
        return named ? topic : NULL;
    }
    return topic;
}
