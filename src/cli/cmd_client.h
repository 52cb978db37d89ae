// What `freshet pub` and `freshet sub` share: how they name the server and read their headers.
#ifndef CLI_CMD_CLIENT_H
#define CLI_CMD_CLIENT_H

#include "base/buf.h"
#include "cli/options.h"

enum { CLIENT_HEADERS_MAX = 60 };

#define CLIENT_URL_DEFAULT "http://127.0.0.1:8042"

// Whether every header is "Name: value" and there are not too many; else it has said which is not.
bool client_check_headers(const struct options *options, const struct texts *headers);

// The headers as an array that ends with NULL, borrowed from the list.
const char *const *client_headers(const struct texts *headers,
                                  const char *out[CLIENT_HEADERS_MAX + 1]);

// `base` and `path`, for a server's address that a user gave; false after saying what is wrong.
bool client_url(const struct options *options, const char *base, const char *path, struct buf *out);

#endif
