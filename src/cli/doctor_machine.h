// What a machine must have for the server's settings: facts, read once, and a judgement on them
// that is pure, so that any machine can be judged in a test. A fact that the system does not tell
// is -1, and nothing is said about it.
#ifndef CLI_DOCTOR_MACHINE_H
#define CLI_DOCTOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/doctor_findings.h"

enum {
    // Measured (docs/architecture.md): what an idle listener takes of freshet's memory, and of the
    // kernel's (socket, file, epoll).
    DOCTOR_LISTENER_BYTES = 512,
    DOCTOR_SOCKET_BYTES = 4352,
    // What the kernel holds for a small event until the listener has acknowledged it.
    DOCTOR_UNACKED_BYTES = 2048,
    // Descriptors beside connections: listening sockets, loops, logs.
    DOCTOR_OWN_DESCRIPTORS = 64,
};

struct doctor_machine {
    // The server's settings.
    uint64_t max_connections, backlog, socket_buffer;
    uint64_t fixed_bytes; // windows, inboxes, history: what it may take beside listeners
    bool chosen;          // somebody set max-connections; otherwise it is the default

    int64_t descriptors;      // the hard limit, which the server takes
    int64_t descriptors_soft; // what it begins with
    int64_t file_max;         // of the whole system
    int64_t somaxconn, syn_backlog, syncookies;
    int64_t port_low, port_high;
    int64_t memory_available, memory_limit; // of the machine; of the control group
    int64_t address_space;                  // ulimit -v
    int64_t tcp_mem_max;                    // bytes that all TCP buffers may take
    int64_t overcommit;                     // vm.overcommit_memory
    int64_t conntrack_max, conntrack_count;
    int64_t synchronised; // the clock: 1, 0
    int64_t now_ms;       // the wall clock
};

// Fills in all but the settings. Never fails: what cannot be read is -1.
void doctor_machine_read(struct doctor_machine *machine);

void doctor_machine_judge(const struct doctor_machine *machine, struct findings *findings);

#endif
