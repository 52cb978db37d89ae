// A peer that speaks HTTP/2 to a real worker over a socket pair, frame by frame, without threads: the
// worker's loop runs only when it is told to. For the fuzzer and for unit tests, so it knows neither;
// what must not be is abort().
#ifndef TESTS_SERVER_H2_PEER_H
#define TESTS_SERVER_H2_PEER_H

#include "base/buf.h"
#include "server/session_h2.h"
#include "server/session_h2_meter.h"

struct h2_place {
    struct settings settings; // may be changed before h2_place_open
    struct server server;
    struct worker *worker;
    uint64_t skew; // how far its timers are ahead of the clock
};

struct h2_peer {
    struct h2_place *place;
    int fd;
    bool speaks; // has said hello, so that frames come back
    bool ended;  // the server says no more
    struct h2_meter meter;
    int64_t window;    // of the connection, that is left
    uint32_t seen[16]; // frames by their type
    uint32_t resets;   // the codes of RST_STREAM frames, as bits
    uint32_t goaway;   // the code of GOAWAY, and one
    uint32_t ends;     // END_STREAM flags
    struct buf data;   // of all DATA frames
    int32_t newest;    // stream that it has opened
};

void h2_place_init(struct h2_place *place);
void h2_place_open(struct h2_place *place);
void h2_place_close(struct h2_place *place);

// A turn of the worker, and what must be true after it.
void h2_place_turn(struct h2_place *place);

// Lets time pass: what is armed expires.
void h2_place_later(struct h2_place *place, int64_t ms);

// Publishes an event of this size for the topic "a".
void h2_place_publish(struct h2_place *place, size_t size);

// `room`: of the socket in the server's direction, 0 for the system's default.
void h2_peer_connect(struct h2_peer *peer, struct h2_place *place, int room);

// Closes, and turns until the connection is gone on the other side as well.
void h2_peer_close(struct h2_peer *peer);

void h2_peer_send(struct h2_peer *peer, struct bytes bytes);
void h2_peer_frame(struct h2_peer *peer, uint8_t type, uint8_t flags, int32_t id,
                   struct bytes payload);
void h2_peer_number(struct h2_peer *peer, uint8_t type, int32_t id, uint32_t value);
void h2_peer_setting(struct h2_peer *peer, uint16_t id, uint32_t value);
void h2_peer_hello(struct h2_peer *peer);

// Opens the next stream: the method and the path, and one more field or NULL.
int32_t h2_peer_request(struct h2_peer *peer, uint8_t flags, const char *method, const char *path,
                        const char *name, const char *value);

// Reads what there is, up to so many bytes, and checks that it is frames.
void h2_peer_read(struct h2_peer *peer, size_t most);

// Turns and reads until nothing moves any more.
void h2_peer_settle(struct h2_peer *peer);

#endif
