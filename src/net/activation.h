// Sockets that the service manager opened and handed over (socket activation): descriptors from 3
// on, counted and named in the environment. One thread: the one that starts the server.
#ifndef NET_ACTIVATION_H
#define NET_ACTIVATION_H

#include <sys/types.h>

#include "net/address.h"

enum { ACTIVATION_FIRST = 3, ACTIVATION_MAX = 16 };

// LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES as they are in the environment, or NULL.
struct activation_words {
    const char *pid, *fds, *names;
};

struct activation {
    int count;                          // descriptors ACTIVATION_FIRST and so on
    struct bytes names[ACTIVATION_MAX]; // point into the words; empty: not named
};

// Pure. NULL, or a sentence that says what is wrong; then the count is 0. No sockets at all, and
// sockets for another process, are nothing wrong: the count is 0.
const char *activation_read(const struct activation_words *words, pid_t own,
                            struct activation *out);

// Whether the descriptor is a stream socket that listens, and where: NULL, or a sentence. It is
// then non-blocking and closed on exec.
const char *activation_check(int fd, struct address *out);

#endif
