// The log of all events: history, in memory or on disk, and the bus that fills it. What the server's
// main thread does for it.
#ifndef SERVER_LOG_OPEN_H
#define SERVER_LOG_OPEN_H

struct server;

// Whether log_open could do its work, as far as can be told without changing anything: 0, or a
// negative error and server->problem says what to do.
int log_check(struct server *server);

// Opens history and bus: 0, or a negative error and, but for ERR_NOMEM, server->problem says what to
// do. Replaces server->hash_key by the one that the disk has: nothing may have been hashed before.
int log_open(struct server *server);

// After the workers' threads have ended, before they are closed. What waits for the disk is written
// first. Harmless when nothing was opened.
void log_close(struct server *server);

// Keeps the newest id in the id file, if there is one.
void log_save_newest(struct server *server);

// Logs whether events can be stored, when that has changed.
void log_tell_state(struct server *server);

#endif
