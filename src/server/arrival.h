// Connections of which it is not known yet whose they are: a proxy says so in front of everything
// else, the PROXY protocol header. What follows it (a TLS handshake, a request) is left in the
// socket for whoever comes next. One thread: the worker's.
#ifndef SERVER_ARRIVAL_H
#define SERVER_ARRIVAL_H

#include "net/listen_spec.h"

struct worker;

// Takes the descriptor over. When the header has come, it goes on to worker_take(); without one, or
// when the peer is not a trusted proxy, it is closed.
void arrival_begin(struct worker *worker, const struct listen_spec *spec, int fd,
                   const struct peer *peer);

// Closes every one now.
void arrivals_close_all(struct worker *worker);

#endif
