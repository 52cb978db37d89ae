// Sessions: the dialogue on a connection. Every connection begins as HTTP/1; one that turns out to
// speak HTTP/2 is handed over to a session of that kind. One thread: the worker's.
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include "net/conn.h"

struct worker;
struct session_h1;
struct session_h2;
struct listening;

enum { SESSIONS_BEYOND = 256 }; // connections beyond the limit that still get an answer

// What a peer may choose of when it asks (ALPN), the best first, each behind its length.
extern const char session_protocols[];
extern const char session_protocols_h1[]; // where there is no HTTP/2

// A connection was accepted at this address, which says what it speaks. Takes the descriptor over, or
// closes it when there are too many.
void session_accept(struct worker *worker, int fd, const struct peer *peer,
                    const struct listening *at);

// Drain: closes what is idle; the rest closes when its request is answered. Streams are not
// touched.
void session_drain_all(struct worker *worker);

// Closes every connection now.
void session_close_all(struct worker *worker);

// Sends what sessions have put together during this turn of the loop, and ends those that are over.
void session_flush_all(struct worker *worker);

// Calls streams whose time has come that share a connection with others.
void session_tick_all(struct worker *worker);

// Whether the input may be the start of HTTP/2: as far as it goes, the client's preface.
bool session_h2_preface(struct bytes in);

// Speaks HTTP/2 on this connection from here on, beginning with this input (with the preface, which
// has not been checked as a whole). The connection's state is H1_UPGRADED.
void session_h2_start(struct session_h1 *shell, struct bytes in);

// Says that there will be no more, and closes when the streams have ended.
void session_h2_drain(struct session_h2 *session);

// Closes the connection now.
void session_h2_close(struct session_h2 *session);

#endif
