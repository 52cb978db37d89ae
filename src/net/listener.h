// A listening socket on a loop: accepts, at most a batch each turn, and pauses instead of spinning
// when descriptors run out. One thread: its loop's; listener_bind may be called before.
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <uv.h>

#include "net/address.h"

struct listen_spec;

struct listener_settings {
    int backlog;
    int unsent_max;   // bytes that the kernel keeps for a peer that does not read (0: its default)
    int dead_peer_ms; // how long sent bytes may stay unacknowledged (0: the kernel's default)
};

// Whether the address can be had at all: 0, or ERR_SYSTEM with errno. To be asked before sharing
// it: a second server of the same user could otherwise slip in beside the first unnoticed.
int listener_probe(const struct address *address);

// A bound and listening socket. With `share`, several sockets may listen on one address and the
// kernel spreads the connections (where it can; elsewhere use one socket for all loops). When the
// port is 0, *address gets the one that was chosen. A descriptor, or ERR_SYSTEM with errno.
int listener_bind(struct address *address, bool share, const struct listener_settings *settings);

// The same for a socket that is bound already, or listens already: its options, and listen(2). 0, or
// ERR_SYSTEM with errno; the descriptor stays the caller's.
int listener_adopt(int fd, const struct address *address, const struct listener_settings *settings);

// Whether this system spreads connections over sockets that share an address.
bool listener_can_share(void);

struct listener {
    uv_poll_t poll;
    uv_timer_t pause;
    int fd;
    bool paused, closed;
    const struct listen_spec *spec; // the owner's: what its address was asked to be
    // A connection was accepted: the descriptor is the callee's, non-blocking.
    void (*accepted)(struct listener *listener, int fd, const struct peer *peer);
    // Descriptors or memory ran out; accepting goes on by itself after a while.
    void (*exhausted)(struct listener *listener);
};

// Starts accepting on the descriptor, which passes to the listener. 0, or ERR_SYSTEM and the
// descriptor is still the caller's.
int listener_open(struct listener *listener, uv_loop_t *loop, int fd);

// Stops accepting and closes the descriptor. The memory may go when the loop has run its close
// callbacks.
void listener_close(struct listener *listener);

#endif
