// Which of the three representations of a subscription an Accept header asks for, whether an
// Accept-Encoding takes gzip, and comparing a Content-Type. Pure: any thread, nothing fails, nothing is allocated.
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include "base/bytes.h"

enum http_representation {
    HTTP_EVENT_STREAM, // text/event-stream
    HTTP_JSON,         // application/json
    HTTP_NDJSON,       // application/x-ndjson, application/ndjson, application/jsonl
    HTTP_NOT_ACCEPTABLE,
};

// The highest q wins; among equals what was named most precisely; among those the order above. An
// absent or empty Accept takes the event stream. A media range that is malformed is passed over.
enum http_representation http_negotiate(struct bytes accept);

// Whether the header prefers gzip to no coding at all, or likes both alike. Absent or empty, it does
// not name it. What is malformed is passed over.
bool http_accepts_gzip(struct bytes accept_encoding);

// Whether it names HTML: a browser that opens a page does, and hardly anything else.
bool http_accepts_html(struct bytes accept);

// The media type to send, without parameters; NULL for HTTP_NOT_ACCEPTABLE.
const char *http_representation_type(enum http_representation representation);

// type/subtype without parameters and the blanks around it; empty when there is none.
struct bytes http_media_essence(struct bytes content_type);

// The same essence, whatever the case and the parameters: ("Text/Event-Stream; charset=utf-8",
// "text/event-stream").
bool http_media_is(struct bytes content_type, const char *essence);

// Any of the three names of newline-delimited JSON.
bool http_media_is_ndjson(struct bytes content_type);

#endif
