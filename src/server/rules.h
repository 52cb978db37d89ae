// The rules of access: which keys sign tokens, what is expected of one, and what nobody needs a token
// for. Made from the settings as a whole, and replaced as a whole when the files are read again.
#ifndef SERVER_RULES_H
#define SERVER_RULES_H

#include <stdatomic.h>

#include "auth/api_keys.h"
#include "auth/claims.h"
#include "auth/key_set.h"
#include "server/settings.h"

enum { RULES_PROBLEM_MAX = 512 };

struct rules {
    atomic_uint refs;
    struct key_set keys;
    struct api_keys *api_keys; // NULL: there is no file of them
    struct claims_policy policy;
    struct grants everyone;
};

// Whether the settings ask for any; without rules everybody may do everything.
bool rules_wanted(const struct settings *settings);

// Whether tokens of requests are looked at: always, but where a backend decides and nobody has named a key.
bool rules_take_tokens(const struct settings *settings);

// What need not be read again: texts that URLs of keys have given, of which an empty one has not come
// yet; and API keys, of which the rules take a reference (NULL: they are read).
struct rules_fetched {
    const struct bytes *texts;
    size_t count;
    struct api_keys *api_keys;
};

// Reads the files that the settings name: 0; or a negative error and a sentence in `problem`. The
// settings must outlive the rules. With one reference, the caller's.
int rules_create(struct rules **out, const struct settings *settings, struct rules_fetched fetched,
                 char problem[RULES_PROBLEM_MAX]);
void rules_unref(struct rules *rules);

#endif
