// Where the doctor listens and where it publishes, from what the user gave. It publishes to a topic
// of its own, so that nobody who listens to the server sees anything. Pure but for libcurl's URL
// parser; one thread.
#ifndef CLI_DOCTOR_TARGET_H
#define CLI_DOCTOR_TARGET_H

#include <stdbool.h>

#include "base/buf.h"

struct doctor_target {
    struct buf listen;  // the URL of a stream, terminated
    struct buf publish; // empty when there is no telling where
};

void doctor_target_init(struct doctor_target *target, const struct mem *mem);
void doctor_target_finish(struct doctor_target *target);

// `url` is the address of a server (https://example.com), its /events, or a stream of any form.
// `publish_url` is the address of a server or NULL for the same one. `topic` is what is published
// to; `given`: the user named it because the stream has it already, so it is not asked for. 0;
// ERR_INVALID for a URL that is not http or https, or a publish_url with a query; ERR_NOMEM.
int doctor_target_make(struct doctor_target *target, const char *url, const char *publish_url,
                       const char *topic, bool given);

// Whether the URL asks for what was before (last, since, last_event_id).
bool doctor_target_asks_past(const char *url);

#endif
