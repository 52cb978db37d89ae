// Keys from URLs in a build without libcurl: there are none, and asking for them is refused.
#include "base/error.h"
#include "server/key_source.h"

int key_source_open(struct key_source **out, const struct key_source_settings *settings) {
    (void)settings;
    *out = NULL;
    return ERR_SYSTEM;
}

void key_source_close(struct key_source **source) {
    *source = NULL;
}

void key_source_nudge(struct key_source *source) {
    (void)source;
}
