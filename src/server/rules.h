// The rules of access: which keys sign tokens, what is expected of one, and what nobody needs a token
// for. Made from the settings as a whole, and replaced as a whole when the files are read again.
#ifndef SERVER_RULES_H
#define SERVER_RULES_H

#include <stdatomic.h>

#include "auth/claims.h"
#include "auth/key_set.h"
#include "server/settings.h"

enum { RULES_PROBLEM_MAX = 512 };

struct rules {
    atomic_uint refs;
    struct key_set keys;
    struct claims_policy policy;
    struct grants everyone;
};

// Whether the settings ask for any; without rules everybody may do everything.
bool rules_wanted(const struct settings *settings);

// Whether tokens of requests are looked at: always, but where a backend decides and nobody has named a key.
bool rules_take_tokens(const struct settings *settings);

// Texts that URLs of keys have given; an empty one has not come yet.
struct rules_fetched {
    const struct bytes *texts;
    size_t count;
};

// Reads the files that the settings name: 0; or a negative error and a sentence in `problem`. The
// settings must outlive the rules. With one reference, the caller's.
int rules_create(struct rules **out, const struct settings *settings, struct rules_fetched fetched,
                 char problem[RULES_PROBLEM_MAX]);
void rules_unref(struct rules *rules);

#endif
