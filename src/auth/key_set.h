// The keys that a server trusts: read from files, or fetched, and then immutable and shared by all
// threads. Replaced whole when they change.
#ifndef AUTH_KEY_SET_H
#define AUTH_KEY_SET_H

#include "auth/key.h"

enum { KEY_SET_MAX = 256, KEY_CANDIDATES_MAX = 8, KEY_FILE_MAX = 256 * 1024 };

struct key_set {
    struct key *keys;
    size_t count;
};

void key_set_init(struct key_set *set);
void key_set_finish(struct key_set *set);

// Adds the keys of a text: a JSON Web Key, a set of them ({"keys":[…]}), or PEM. Keys of a set that
// are for something else are passed over; a text with no key for tokens at all is a mistake. 0;
// ERR_NOMEM, or ERR_INVALID and *problem says what is wrong; then the set is as it was.
int key_set_add(struct key_set *set, struct bytes text, const char **problem);

// Adds a secret that both sides know.
int key_set_add_secret(struct key_set *set, struct bytes secret, const char **problem);

// Whether any key that fits made the signature. A token that names a key (`id`, empty: it does not) is
// tried with the keys of that name and with those that have none; no more than KEY_CANDIDATES_MAX are
// tried. *known: there was a key to try.
bool key_set_verify(const struct key_set *set, const struct algorithm *algorithm, struct bytes id,
                    struct bytes text, struct bytes signature, bool *known);

#endif
