// Where a load goes: a URL template taken apart, the address behind it, and the requests that are
// written from it. In templates {topic} stands for the topic; in bodies also {data} for the data.
// Plain HTTP only.
#ifndef LOAD_TARGET_H
#define LOAD_TARGET_H

#include "base/buf.h"
#include "net/address.h"

struct target {
    struct address address;
    const char *host; // as it stands in the URL, with the port: in the template, not terminated
    size_t host_len;
    const char *path; // the template from its first slash on, borrowed; "/" if there is none
};

// NULL, or a sentence about what is wrong with the template. It must outlive the target.
const char *target_parse(const char *url, struct target *target);

// A socket that has begun to connect, non-blocking. Towards loopback each block of 4,096 numbers of
// each set gets an address of its own: ports would run out, and long before that the search for a
// free one among those of earlier connections is what takes the time. A descriptor, or ERR_SYSTEM.
int target_connect(const struct target *target, unsigned set, unsigned number);

// Appends the template with {topic} (percent-encoded, slashes kept) and {data} (as it is, if it is
// there) filled in. 0 or an error of buf.
int target_fill(struct buf *out, const char *template, struct bytes topic, struct bytes data,
                bool encode);

// What each topic is called.
enum { TARGET_TOPIC_MAX = 96 };
struct bytes target_topic(char out[TARGET_TOPIC_MAX], const char *prefix, unsigned topic);

#endif
