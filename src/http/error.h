// Everything that is refused in a request, one number and one sentence each. The numbers are below
// those of base/error.h, so one int can carry either.
#ifndef HTTP_ERROR_H
#define HTTP_ERROR_H

enum http_error {
    HTTP_ERR_METHOD = -100,
    HTTP_ERR_TARGET = -101,
    HTTP_ERR_TARGET_TOO_LONG = -102,
    HTTP_ERR_VERSION = -103,
    HTTP_ERR_VERSION_UNSUPPORTED = -104,
    HTTP_ERR_LINE_END = -105,
    HTTP_ERR_FIELD_NAME = -106,
    HTTP_ERR_FIELD_VALUE = -107,
    HTTP_ERR_FOLDED_FIELD = -108,
    HTTP_ERR_HEAD_TOO_LARGE = -109,
    HTTP_ERR_TOO_MANY_FIELDS = -110,
    HTTP_ERR_HOST_MISSING = -111,
    HTTP_ERR_HOST_REPEATED = -112,
    HTTP_ERR_HOST = -113,
    HTTP_ERR_HOST_DIFFERS = -114,
    HTTP_ERR_LENGTH = -115,
    HTTP_ERR_LENGTH_REPEATED = -116,
    HTTP_ERR_LENGTH_AND_CODING = -117,
    HTTP_ERR_CODING = -118,
    HTTP_ERR_CODING_UNSUPPORTED = -119,
    HTTP_ERR_CODING_IN_1_0 = -120,
    HTTP_ERR_EXPECT = -121,
    HTTP_ERR_CHUNK_SIZE = -122,
    HTTP_ERR_CHUNK_END = -123,
    HTTP_ERR_CHUNK_EXTENSION = -124,
    HTTP_ERR_TRAILERS_TOO_LARGE = -125,
    HTTP_ERR_PROTOCOL = -126,
    HTTP_ERR_LAST = HTTP_ERR_PROTOCOL,
};

// What to answer: a status and a sentence that says what is wrong, both for ever.
struct http_problem {
    int status;
    const char *detail;
};

// Of an enum http_error, or of an enum error (memory: 503, a limit: 413, malformed: 400, not found:
// 404); anything else is a 500. Never fails.
struct http_problem http_error_problem(int error);

#endif
