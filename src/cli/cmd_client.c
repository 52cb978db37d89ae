// The server's address and the headers, checked where the user can be told.
#include "cli/cmd_client.h"

#include "cli/commands.h"
#include "client/policy.h"
#include "client/url.h"

bool client_check_headers(const struct options *options, const struct texts *headers) {
    if (headers->count > CLIENT_HEADERS_MAX) {
        commands_usage_error(options, "there are more than %d headers", CLIENT_HEADERS_MAX);
        return false;
    }
    for (size_t i = 0; i < headers->count; i++) {
        if (!policy_is_header_line(bytes_of(headers->items[i]))) {
            // Not shown: it may be a secret that was mistyped.
            commands_usage_error(options, "header %zu is not of the form 'Name: value'", i + 1);
            return false;
        }
    }
    return true;
}

const char *const *client_headers(const struct texts *headers,
                                  const char *out[CLIENT_HEADERS_MAX + 1]) {
    for (size_t i = 0; i < headers->count; i++) {
        out[i] = headers->items[i];
    }
    out[headers->count] = NULL;
    return out;
}

bool client_url(const struct options *options, const char *base, const char *path,
                struct buf *out) {
    if (url_join(out, base, path) != 0) {
        commands_usage_error(
            options,
            "--url must be the http:// or https:// address of a server, such as " CLIENT_URL_DEFAULT
            ", without a query");
        return false;
    }
    return true;
}
