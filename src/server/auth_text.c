// The memory of a question to the backend, with or without a client to ask it.
#include "server/auth_desk.h"

void auth_text_init(struct auth_text *text) {
    buf_init(&text->headers, &mem_libc, 0);
    buf_init(&text->body, &mem_libc, 0);
    buf_init(&text->subject, &mem_libc, 0);
    grants_init(&text->names);
}

void auth_text_finish(struct auth_text *text) {
    buf_finish(&text->headers);
    buf_finish(&text->body);
    buf_finish(&text->subject);
    grants_finish(&text->names);
}
