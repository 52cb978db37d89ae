// What a listener is told that cannot be served now, but may be later.
#ifndef SERVER_COME_BACK_H
#define SERVER_COME_BACK_H

#include "http/negotiate.h"
#include "server/exchange.h"

// Answers. `detail` says for people what to do.
void come_back_answer(struct exchange *exchange, enum http_representation representation,
                      const char *detail);

#endif
