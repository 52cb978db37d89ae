// The addresses that a server listens on: bound once for all, a socket for each worker where the
// system spreads connections over them, otherwise one that all of them share. The main thread.
#ifndef SERVER_ADDRESSES_H
#define SERVER_ADDRESSES_H

struct server;

// Whether the settings name addresses that may be listened on: 0, or ERR_INVALID with
// server->problem set. What the service manager would hand over is not looked at.
int addresses_check(struct server *server);

// Binds what the settings name and hands the sockets to the workers. After addresses_check and
// secure_open. 0, or a negative error with server->problem set.
int addresses_open(struct server *server);

// Removes the files of Unix sockets, before the sockets are closed. Harmless the second time.
void addresses_remove_files(struct server *server);
void addresses_close(struct server *server);

#endif
