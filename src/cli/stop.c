// Signals into a pipe: a write is all that a handler may do, and a pipe is what every loop can wait
// for.
#include "cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/error.h"

static volatile sig_atomic_t asked;
static int ends[2] = {-1, -1};

static void on_signal(int signal) {
    int before = errno;
    asked = 1;
    // A full pipe is readable already.
    ssize_t written = write(ends[1], "", 1);
    (void)written;
    errno = before;
}

int stop_init(void) {
    // Without SA_RESTART, so that a write that blocks is given up as well.
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return ERR_SYSTEM;
    }
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) {
        return ERR_SYSTEM;
    }
    return 0;
}

int stop_fd(void) {
    return ends[0];
}

bool stop_asked(void) {
    return asked != 0;
}
