// The claims of a token, whose signature was checked: whether they hold here and now, and what they
// let somebody do. Pure: time is an argument.
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include "auth/grants.h"
#include "base/texts.h"

enum { SUBJECT_MAX = 256, CLAIM_VALUE_MAX = 256 };

// What the server expects of every token.
struct claims_policy {
    const struct texts *issuers;   // one of them, if there are any
    const struct texts *audiences; // the same
    const char *member; // the claim with the rights: {"subscribe":[…],"publish":[…],"admin":true}
    const struct texts *subscribe; // templates that are granted to whoever has a good token
    const struct texts *publish;
    int64_t leeway_ms; // between the clocks
};

struct claims {
    struct grants grants;
    struct buf subject;
    int64_t expires_ms; // wall clock, without the leeway; 0: it does not expire
    bool admin;
};

// Reads the claims, an object that json_validate accepted. True when they hold. Else *problem says for
// people why not (NULL: there was no memory), and it holds nothing of the token. claims_finish must
// follow in both cases.
bool claims_read(struct claims *claims, struct bytes object, const struct claims_policy *policy,
                 int64_t now_ms, const char **problem);
void claims_finish(struct claims *claims);

// The value of a claim of this name that can stand in a topic's name, appended: a string or a whole
// number, one segment, and no wildcard. 0, ERR_NOT_FOUND when there is none such, or ERR_NOMEM.
int claims_segment(struct bytes object, struct bytes name, struct buf *out);

#endif
