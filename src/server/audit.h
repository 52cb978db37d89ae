// The audit log: one line of JSON for each thing that an administrator changed, and for each that
// somebody was not allowed to. It says when, who, from where, what, and how it ended; never a token, and
// of a URL the path alone.
//
// A worker only hands its line over; the main thread writes. While the file cannot be written to as fast
// as lines come, AUDIT_WAITING of them wait; those beyond are counted, and the next line says so.
#ifndef SERVER_AUDIT_H
#define SERVER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct audit;
struct exchange;
struct http_request;
struct server;

enum { AUDIT_WAITING = 4096, AUDIT_PATH_MAX = 1024, AUDIT_PROBLEM_MAX = 256 };

// A file that was opened, or -1: none is wanted. "-" is standard output. 0, or ERR_SYSTEM and a
// sentence. The main thread.
int audit_open_file(const char *name, int *fd, char problem[AUDIT_PROBLEM_MAX]);
// The same, but leaves nothing behind.
int audit_check_file(const char *name, char problem[AUDIT_PROBLEM_MAX]);
void audit_close_file(int fd);

// 0 or ERR_NOMEM; the file passes to it in any case. The main thread.
int audit_create(struct audit **out, struct server *server, int fd);
// Another file (or -1) takes the place of the one before, behind the lines that wait.
void audit_use_file(struct audit *audit, int fd);
// Nothing may wait any more. NULLs the pointer, and NULL is harmless.
void audit_destroy(struct audit **audit);

// --- a worker's thread ---

// The request is about to be looked at: from here on its end is noted, when it was to change something or
// when it was refused. `action` is a word for it. 0 or ERR_NOMEM.
int audit_watch(struct exchange *exchange, const struct http_request *req, const char *action);

// It is over, while it is still known who asked.
void audit_end(struct exchange *exchange);

// --- the main thread ---

// A reload that a signal asked for.
void audit_note_signal(struct server *server, const char *action, bool done);

#endif
