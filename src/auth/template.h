// Names of topics with places for somebody's own values: `users/{sub}/*`.
#ifndef AUTH_TEMPLATE_H
#define AUTH_TEMPLATE_H

#include "base/buf.h"

// Whether the text may be a template: NULL, or a sentence that says why not.
const char *template_problem(struct bytes text);

// Appends the template with the values of these claims put in. A value never brings a wildcard or a
// slash with it, so it stays the segment, or the part of one, that it was given. 0; ERR_NOT_FOUND when
// a claim is missing or its value cannot stand in a name; ERR_NOMEM.
int template_fill(struct bytes text, struct bytes claims, struct buf *out);

#endif
