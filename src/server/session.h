// Sessions: the dialogue on a connection. So far one kind, HTTP/1. One thread: the worker's.
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include "net/conn.h"

struct worker;

// A connection was accepted. Takes the descriptor over, or closes it when there are too many.
void session_accept(struct worker *worker, int fd, const struct peer *peer);

// Drain: closes what is idle; the rest closes when its request is answered. Streams are not
// touched.
void session_drain_all(struct worker *worker);

// Closes every connection now.
void session_close_all(struct worker *worker);

#endif
