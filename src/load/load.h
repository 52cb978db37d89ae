// A load: listeners that connect to a server of events, publishers that keep to a timetable,
// and the books about what came of it. The timetable is open: an event is due when it is due,
// however late the server lets it be sent, and its latency counts from then.
//
// load_run blocks, starts threads (and, if told so, processes) of its own, and has ended them all
// when it returns. It must be called while the process has only one thread.
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "load/histogram.h"
#include "load/sequence.h"
#include "load/usage.h"

enum {
    LOAD_PIDS_MAX = 16,
    LOAD_WORKERS_MAX = 64,
    LOAD_PUBLISHERS_MAX = 1024,
    LOAD_POLL_WAIT_S = 30, // that a poll asks to wait
};

// How listeners listen. The last three are as freshet has them.
enum load_transport {
    LOAD_EVENT_STREAM,
    LOAD_NDJSON,
    LOAD_POLL,             // long polls, one behind the other on a connection
    LOAD_WEBSOCKET,        // messages in JSON
    LOAD_WEBSOCKET_STREAM, // messages that are pieces of an event stream
};

struct load_progress {
    const char *doing; // a word or two
    double elapsed_s, expected_s;
    uint64_t listening, listeners, published, delivered, faults;
};

struct load_settings {
    const char *subscribe_url; // templates with {topic}
    const char *publish_url;
    const char *publish_body; // template with {topic} and {data}; NULL: the data
    const char *publish_type;
    const char *topic_prefix;
    enum load_transport transport;
    bool gzip;           // ask for packed answers
    const char *pattern; // NULL, or what every listener subscribes to instead of topics
    unsigned subscribers, topics, topics_per_listener, publishers, pipeline;
    unsigned threads, processes;
    unsigned connecting;   // connections being made at a time
    unsigned connect_rate; // a second; 0: as fast as it goes
    bool herd;         // the server is held until all have asked, and connecting counts from then
    unsigned catch_up; // events of each topic to miss and to catch up with; 0: no storm
    double rate;       // events a second; 0: as fast as they are acknowledged
    unsigned size;     // of the data
    bool json_data;    // it is JSON of changing values, not the letter x
    int64_t duration_ms, warmup_ms;
    int64_t patience_ms;       // how long to wait when nothing moves
    pid_t pids[LOAD_PIDS_MAX]; // the processes of the server, for the figures
    unsigned pid_count;
    // Called a few times a second. False ends the load early.
    bool (*progress)(void *ctx, const struct load_progress *progress);
    void *ctx;
};

struct load_result {
    unsigned listening;       // listeners that got their stream
    unsigned refused, closed; // that did not, and whose stream ended by itself
    double connect_s;
    bool interrupted;

    double measured_s; // from the end of the warm-up to the last delivery
    uint64_t due, published, refused_events, unsent; // events; those that were sent late are sent
    uint64_t expected, delivered;                    // deliveries, the warm-up's included
    uint64_t measured_published, measured_deliveries;
    uint64_t bytes; // that listeners got, from the first on
    // What listeners got and sent, and how often they asked, while `carried` deliveries reached them
    // (the measured ones, but for those under way at either end).
    uint64_t received, sent, requests, carried;
    struct sequence_faults faults;
    uint64_t damaged, foreign;     // events of a wrong length; events that nobody asked for
    struct histogram latency;      // microseconds from when an event was due until it was read
    struct histogram acknowledged; // until the publisher had its answer
    struct histogram late;         // until it was sent

    unsigned caught_up;        // listeners that had everything after the storm
    double catch_up_s;         // until the last of them
    double reconnect_s;        // until the last stream began
    struct histogram catch_up; // microseconds for each listener

    struct usage idle, connected; // of the server: before any listener, when all listen
    struct usage before, after;   // before and after the measured events
    int64_t settled_pss;          // with all listeners, before the first event; -1: not known
    double connect_busiest; // share of the connecting during which its busiest thread was running
    double own_cpu_s;       // of the generator in the measured time
    double busiest;         // share of the time that its busiest thread was running
    double crowded;         // its time as a share of the processors that it may use
    unsigned processors;
    char problem[320]; // why load_run failed
};

// Fills in what a bare `freshet bench` does.
void load_settings_default(struct load_settings *settings);

// 0, ERR_INVALID for settings that make no sense, ERR_TOO_LARGE for more descriptors than the
// process may have, ERR_SYSTEM or ERR_NOMEM; result->problem says which in a sentence. Whatever is
// wrong with the server's answers is no failure but a result.
int load_run(const struct load_settings *settings, struct load_result *result);

#endif
