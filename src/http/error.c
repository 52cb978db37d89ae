// The table of refusals. Each sentence says what to do about it, since it is what the sender sees.
#include "http/error.h"

#include <stddef.h>

#include "base/error.h"

struct entry {
    int error;
    struct http_problem problem;
};

static const struct entry entries[] = {
    {HTTP_ERR_METHOD,
     {400, "The request must begin with a method such as GET, followed by one space."}},
    {HTTP_ERR_TARGET,
     {400, "The target must be a path that begins with '/', or an http or https URL; "
           "percent-encode spaces, controls, '#' and all that is not ASCII."}},
    {HTTP_ERR_TARGET_TOO_LONG, {414, "The target is too long; send fewer or shorter parameters."}},
    {HTTP_ERR_VERSION,
     {400, "After the target the request line must have one space and HTTP/1.1 or HTTP/1.0."}},
    {HTTP_ERR_VERSION_UNSUPPORTED,
     {505, "Only HTTP/1.0 and HTTP/1.1 are understood in this form."}},
    {HTTP_ERR_LINE_END,
     {400, "Every line of the head must end with CR LF, and neither byte may stand alone."}},
    {HTTP_ERR_FIELD_NAME,
     {400, "A header must begin with a name of letters, digits or hyphens and a colon right behind "
           "it."}},
    {HTTP_ERR_FIELD_VALUE, {400, "A header value must not contain control characters."}},
    {HTTP_ERR_FOLDED_FIELD,
     {400, "A header line must not begin with a space or tab; send each header on one line."}},
    {HTTP_ERR_HEAD_TOO_LARGE,
     {431, "The request line and headers are too large; send fewer or shorter headers."}},
    {HTTP_ERR_TOO_MANY_FIELDS, {431, "There are too many headers; send fewer."}},
    {HTTP_ERR_HOST_MISSING, {400, "An HTTP/1.1 request must have a Host header."}},
    {HTTP_ERR_HOST_REPEATED, {400, "There must be only one Host header."}},
    {HTTP_ERR_HOST,
     {400, "The Host header must be a host name or address, and a port if there is a colon."}},
    {HTTP_ERR_HOST_DIFFERS,
     {400, "The Host header must name the same host and port as the URL in the request line."}},
    {HTTP_ERR_LENGTH,
     {400, "Content-Length must be one decimal number, without a sign or leading zeros."}},
    {HTTP_ERR_LENGTH_REPEATED, {400, "There must be only one Content-Length header."}},
    {HTTP_ERR_LENGTH_AND_CODING,
     {400, "Send either Content-Length or Transfer-Encoding, not both."}},
    {HTTP_ERR_CODING, {400, "Transfer-Encoding must be one header that ends with chunked."}},
    {HTTP_ERR_CODING_UNSUPPORTED, {501, "Chunked is the only transfer coding that is understood."}},
    {HTTP_ERR_CODING_IN_1_0,
     {400, "Transfer-Encoding does not exist in HTTP/1.0; send Content-Length."}},
    {HTTP_ERR_EXPECT, {417, "100-continue is the only expectation that can be met."}},
    {HTTP_ERR_CHUNK_SIZE,
     {400, "A chunk must begin with its size in hexadecimal digits, followed by CR LF."}},
    {HTTP_ERR_CHUNK_END,
     {400, "The data of a chunk must be as long as its size says and be followed by CR LF."}},
    {HTTP_ERR_CHUNK_EXTENSION,
     {400, "The extensions of a chunk are too long or contain control characters."}},
    {HTTP_ERR_TRAILERS_TOO_LARGE, {431, "The trailers behind the body are too large; send fewer."}},
    {HTTP_ERR_PROTOCOL,
     {501, "CONNECT is understood with the protocol websocket only, at /events and below."}},
    {ERR_NOMEM, {503, "The server is out of memory; try again later."}},
    {ERR_TOO_LARGE, {413, "The request is larger than the server accepts."}},
    {ERR_INVALID, {400, "The request is malformed."}},
    {ERR_NOT_FOUND, {404, "There is nothing here by that name."}},
};

struct http_problem http_error_problem(int error) {
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        if (entries[i].error == error) {
            return entries[i].problem;
        }
    }
    return (struct http_problem){500, "Something went wrong in the server."};
}
