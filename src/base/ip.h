// IP addresses from text, for layers that know no sockets. Pure: any thread.
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/bytes.h"

// 192.0.2.1: four numbers without leading zeros. False when it is anything else; `out` may then
// hold a part.
bool ip_parse_v4(struct bytes text, uint8_t out[4]);

// 2001:db8::1, ::ffff:192.0.2.1: as RFC 4291 has it, without a zone. Likewise.
bool ip_parse_v6(struct bytes text, uint8_t out[16]);

#endif
