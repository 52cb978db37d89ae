// Facts in, findings out. What stops the server from holding as many connections as somebody asked
// for is FAIL; the same against a number that nobody chose, and what hurts only under load, is
// WARN.
#include <stdio.h>

#include "cli/doctor_machine.h"

typedef const struct doctor_machine facts;

// 2026-01-01: this program is not older, so neither is the present.
static const int64_t PROGRAM_BORN_MS = INT64_C(1767225600000);

static enum finding_level worse(facts *machine) {
    return machine->chosen ? FINDING_FAIL : FINDING_WARN;
}

// Beyond these a number only says "too many", and what is made of it still fits.
static const uint64_t COUNT_PLENTY = UINT64_C(1) << 40, BYTES_PLENTY = UINT64_C(1) << 60;

static long long signed_of(uint64_t count) {
    return (long long)(count > COUNT_PLENTY ? COUNT_PLENTY : count);
}

static int64_t bytes_taken(facts *machine) {
    uint64_t bytes = machine->fixed_bytes;
    return (int64_t)(bytes > BYTES_PLENTY ? BYTES_PLENTY : bytes);
}

static const char *megabytes(int64_t bytes, char out[32]) {
    snprintf(out, 32, "%.1f MB", (double)bytes / 1e6);
    return out;
}

static void judge_descriptors(facts *machine, struct findings *findings) {
    int64_t needed = signed_of(machine->max_connections) + DOCTOR_OWN_DESCRIPTORS;
    if (machine->descriptors < 0) {
        findings_add(findings, FINDING_OK, "descriptors", "There is no limit of file descriptors.");
    } else if (machine->descriptors < needed) {
        findings_add(findings, worse(machine), "descriptors",
                     "The hard limit of file descriptors is %lld, and max-connections %lld: "
                     "accepting pauses when they are used up.",
                     (long long)machine->descriptors, signed_of(machine->max_connections));
        findings_advise(findings,
                        "Raise it to %lld or more (LimitNOFILE= in the systemd unit, --ulimit "
                        "nofile= in Docker, /etc/security/limits.conf), or lower "
                        "--max-connections.",
                        (long long)needed);
    } else {
        findings_add(findings, FINDING_OK, "descriptors",
                     "%lld file descriptors are enough for %lld connections.",
                     (long long)machine->descriptors, signed_of(machine->max_connections));
    }
}

static void judge_file_max(facts *machine, struct findings *findings) {
    int64_t needed = signed_of(machine->max_connections) + DOCTOR_OWN_DESCRIPTORS;
    if (machine->file_max >= 0 && machine->file_max < needed) {
        findings_add(findings, worse(machine), "file-max",
                     "The whole system may have %lld files open, fewer than max-connections.",
                     (long long)machine->file_max);
        findings_advise(findings, "sysctl -w fs.file-max=%lld", (long long)needed * 2);
    } else if (machine->file_max >= 0) {
        findings_add(findings, FINDING_OK, "file-max", "The system may have %lld files open.",
                     (long long)machine->file_max);
    }
}

static void judge_backlog(facts *machine, struct findings *findings) {
    int64_t backlog = signed_of(machine->backlog);
    if (machine->somaxconn < 0) {
        return;
    }
    if (machine->somaxconn < backlog) {
        findings_add(findings, FINDING_WARN, "backlog",
                     "net.core.somaxconn cuts the backlog of %lld down to %lld: when a crowd comes "
                     "back at once, connections beyond that are dropped and tried again seconds "
                     "later.",
                     (long long)backlog, (long long)machine->somaxconn);
        findings_advise(findings, "sysctl -w net.core.somaxconn=%lld", (long long)backlog);
    } else {
        findings_add(findings, FINDING_OK, "backlog",
                     "%lld connections may wait to be accepted (net.core.somaxconn is %lld).",
                     (long long)backlog, (long long)machine->somaxconn);
    }
}

static void judge_syn_backlog(facts *machine, struct findings *findings) {
    int64_t backlog = signed_of(machine->backlog);
    // With SYN cookies nothing is dropped; without them what does not fit is.
    if (machine->syn_backlog < 0) {
        return;
    }
    if (machine->syn_backlog < backlog && machine->syncookies == 0) {
        findings_add(findings, FINDING_WARN, "syn-backlog",
                     "net.ipv4.tcp_max_syn_backlog is %lld, below the backlog of %lld, and SYN "
                     "cookies are off: in a rush new connections are dropped.",
                     (long long)machine->syn_backlog, (long long)backlog);
        findings_advise(findings,
                        "sysctl -w net.ipv4.tcp_max_syn_backlog=%lld net.ipv4.tcp_syncookies=1",
                        (long long)backlog);
    } else {
        findings_add(findings, FINDING_OK, "syn-backlog", "%lld connections may be half made%s.",
                     (long long)machine->syn_backlog,
                     machine->syncookies > 0 ? ", and beyond that SYN cookies help" : "");
    }
}

static void judge_ports(facts *machine, struct findings *findings) {
    int64_t ports = machine->port_high - machine->port_low + 1;
    if (machine->port_low < 0 || machine->port_high < machine->port_low) {
        return;
    }
    if (signed_of(machine->max_connections) > ports) {
        findings_add(findings, machine->chosen ? FINDING_WARN : FINDING_OK, "ports",
                     "A proxy on this machine can make %lld connections to one address of freshet "
                     "(net.ipv4.ip_local_port_range is %lld to %lld), fewer than max-connections. "
                     "Listeners that come directly are not concerned.",
                     (long long)ports, (long long)machine->port_low, (long long)machine->port_high);
        findings_advise(findings,
                        "Behind a proxy on this machine: let freshet listen on several addresses "
                        "(127.0.0.1, 127.0.0.2, ...), or sysctl -w "
                        "net.ipv4.ip_local_port_range=\"1024 65535\"");
    } else {
        findings_add(findings, FINDING_OK, "ports",
                     "A proxy on this machine can make %lld connections to one address.",
                     (long long)ports);
    }
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static void judge_memory(facts *machine, struct findings *findings) {
    char needed_text[32], there_text[32];
    int64_t each = DOCTOR_LISTENER_BYTES + DOCTOR_SOCKET_BYTES;
    int64_t count = signed_of(machine->max_connections);
    int64_t needed = count * each + bytes_taken(machine);
    int64_t there = smaller(machine->memory_available, machine->memory_limit);
    if (there < 0) {
        return;
    }
    megabytes(needed, needed_text);
    megabytes(there, there_text);
    if (needed > there) {
        findings_add(findings, worse(machine), "memory",
                     "%lld idle listeners and full histories and windows take about %s (%d bytes "
                     "each in freshet, %d in the kernel); %s are available%s.",
                     (long long)count, needed_text, DOCTOR_LISTENER_BYTES, DOCTOR_SOCKET_BYTES,
                     there_text, there == machine->memory_limit ? " in this control group" : "");
        findings_advise(findings, "Give it more memory, or lower --max-connections, "
                                  "--history-bytes and --window-bytes.");
    } else {
        findings_add(findings, FINDING_OK, "memory",
                     "%lld idle listeners take about %s, and %s are available.", (long long)count,
                     needed_text, there_text);
    }
}

static void judge_address_space(facts *machine, struct findings *findings) {
    char text[32];
    int64_t needed =
        bytes_taken(machine) + signed_of(machine->max_connections) * DOCTOR_LISTENER_BYTES;
    if (machine->address_space >= 0 && machine->address_space < needed * 2) {
        findings_add(findings, worse(machine), "address-space",
                     "The address space is limited to %s (ulimit -v), which full buffers exceed.",
                     megabytes(machine->address_space, text));
        findings_advise(findings, "Lift the limit: ulimit -v unlimited.");
    }
}

static void judge_socket_memory(facts *machine, struct findings *findings) {
    char needed_text[32], there_text[32];
    int64_t count = signed_of(machine->max_connections);
    int64_t needed = count * DOCTOR_UNACKED_BYTES;
    if (machine->tcp_mem_max < 0) {
        return;
    }
    megabytes(needed, needed_text);
    megabytes(machine->tcp_mem_max, there_text);
    if (needed > machine->tcp_mem_max) {
        findings_add(findings, FINDING_WARN, "socket-memory",
                     "When each of %lld listeners has one small event on its way, the kernel holds "
                     "about %s for them; net.ipv4.tcp_mem allows %s for all connections, and "
                     "beyond that everything becomes slow.",
                     (long long)count, needed_text, there_text);
        findings_advise(findings, "Raise the last number of net.ipv4.tcp_mem (pages of memory).");
    } else {
        findings_add(findings, FINDING_OK, "socket-memory",
                     "The kernel may hold %s of events on their way, and one for each listener "
                     "takes about %s.",
                     there_text, needed_text);
    }
}

static void judge_overcommit(facts *machine, struct findings *findings) {
    if (machine->overcommit == 2) {
        findings_add(findings, FINDING_WARN, "overcommit",
                     "vm.overcommit_memory is 2: memory is refused while there still is some, and "
                     "then requests are answered with 503.");
        findings_advise(findings, "sysctl -w vm.overcommit_memory=0, or raise "
                                  "vm.overcommit_ratio.");
    }
}

static void judge_conntrack(facts *machine, struct findings *findings) {
    int64_t needed = signed_of(machine->max_connections);
    if (machine->conntrack_max < 0) {
        return;
    }
    // 0 means no limit.
    if (machine->conntrack_max && machine->conntrack_max < needed) {
        findings_add(findings, FINDING_WARN, "conntrack",
                     "The firewall tracks at most %lld connections (net.netfilter."
                     "nf_conntrack_max; %lld now), fewer than max-connections: packets of new ones "
                     "are dropped, if it tracks those of freshet.",
                     (long long)machine->conntrack_max, (long long)machine->conntrack_count);
        findings_advise(findings,
                        "sysctl -w net.netfilter.nf_conntrack_max=%lld, or a rule that does not "
                        "track the server's address (notrack).",
                        (long long)needed * 2);
    } else {
        findings_add(findings, FINDING_OK, "conntrack",
                     "The firewall tracks enough connections (%lld).",
                     (long long)machine->conntrack_max);
    }
}

static void judge_clock(facts *machine, struct findings *findings) {
    if (machine->now_ms < PROGRAM_BORN_MS) {
        findings_add(findings, FINDING_FAIL, "clock",
                     "The clock is in the past. Ids are made of the time: listeners that come back "
                     "after it is set right, or from another server, are told of a gap.");
        findings_advise(findings, "Set the clock (timedatectl set-ntp true), and give --id-file.");
    } else if (machine->synchronised == 0) {
        findings_add(findings, FINDING_WARN, "clock",
                     "Nothing keeps the clock right. Ids are made of the time, so a clock that is "
                     "set back makes ids count from the last one until it has caught up.");
        findings_advise(findings, "timedatectl set-ntp true, or chrony; and --id-file, so that ids "
                                  "rise also over a restart. In a container the host's clock "
                                  "counts.");
    } else if (machine->synchronised > 0) {
        findings_add(findings, FINDING_OK, "clock", "The clock is synchronised.");
    }
}

void doctor_machine_judge(facts *machine, struct findings *findings) {
    judge_descriptors(machine, findings);
    judge_file_max(machine, findings);
    judge_backlog(machine, findings);
    judge_syn_backlog(machine, findings);
    judge_ports(machine, findings);
    judge_memory(machine, findings);
    judge_address_space(machine, findings);
    judge_socket_memory(machine, findings);
    judge_overcommit(machine, findings);
    judge_conntrack(machine, findings);
    judge_clock(machine, findings);
}
