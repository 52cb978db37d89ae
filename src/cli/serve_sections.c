// What the file of `freshet serve` may say of some topics apart from the others.
#include "cli/serve_options.h"

#include "hub/topic.h"
#include "server/settings.h"

// More would make the first event of each new topic slow for everyone: it is matched against all.
enum { TOPIC_SECTIONS_MAX = 256 };

static const struct option_member topic_members[] = {
    {"history-count", offsetof(struct topic_settings, history_count)},
    {"history-topic-bytes", offsetof(struct topic_settings, history_topic_bytes)},
    {"history-age", offsetof(struct topic_settings, history_age_ms)},
    {NULL, 0},
};

const struct option_section serve_sections[] = {
    {.name = "topics",
     .argument = "PATTERN",
     .offset = offsetof(struct settings, topics),
     .size = sizeof(struct topic_settings),
     .most = TOPIC_SECTIONS_MAX,
     .members = topic_members,
     .problem = topic_problem,
     .help =
         "It says what history keeps of the topics that the pattern matches (a name, or one with "
         "wildcards); of several sections that match a topic the first counts.",
     .example = "history-count = 1000\n"
                "\n"
                "[topics \"sensors/**\"]\n"
                "history-count = 100000\n"
                "history-age = 30d\n"},
    {.name = NULL},
};
