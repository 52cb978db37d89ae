// Settings that were read again beside those in force: what has changed takes effect where it can, and
// stays as it was where it cannot. One thread, as options.h.
#ifndef CLI_OPTIONS_MERGE_H
#define CLI_OPTIONS_MERGE_H

#include "cli/options.h"

// Hears of each difference. `from` and `to` are as one would write them; NULL for a secret. Returns 0
// or a negative error, which ends the merge.
struct options_differences {
    int (*changed)(void *ctx, const char *name, const char *from, const char *to);
    int (*needs_restart)(void *ctx, const char *name);
    void *ctx;
};

// Where `fresh`, which options_load has filled, differs from the struct `running` of the same table and
// sections: what is OPTION_LIVE is told, and the rest is told and put back as it is in `running`. 0,
// ERR_NOMEM, or the error of a listener.
int options_merge(struct options *fresh, const void *running,
                  const struct options_differences *differences);

#endif
