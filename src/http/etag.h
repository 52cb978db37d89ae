// Entity tags (RFC 9110, 8.8.3): whether a condition names one. Pure: any thread, nothing fails.
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "base/bytes.h"

// Whether If-None-Match (its value: "*", or tags with commas between them) has this tag, which stands
// with its quotes. A tag that is marked weak counts as well, because a cache that compresses marks
// it so. What is no tag is passed over.
bool http_etag_listed(struct bytes list, struct bytes etag);

#endif
