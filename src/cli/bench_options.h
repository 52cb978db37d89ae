// The settings of `freshet bench`.
#ifndef CLI_BENCH_OPTIONS_H
#define CLI_BENCH_OPTIONS_H

#include "cli/options.h"

struct bench_settings {
    char *url, *subscribe_url, *publish_url, *publish_body, *publish_type, *topic_prefix, *pattern;
    uint64_t subscribers, topics, topics_per_connection, publishers, pipeline, rate, size;
    uint64_t threads, processes, connecting, connect_rate, catch_up;
    int64_t duration_ms, warmup_ms, patience_ms;
    struct texts pid;
    int transport; // enum load_transport
    bool gzip, herd, json_data, json;
};

extern const struct option bench_options[];

#endif
