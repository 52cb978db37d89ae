// What becomes of open streams when the file of API keys was read again: those of a key that is gone,
// or that no longer lets its bearer hear all that the stream hears, are ended; the others go on by the
// rights that the key has now. Streams of tokens go on until the token expires, whatever happens to
// the keys that signed it.
#ifndef SERVER_REVOKE_H
#define SERVER_REVOKE_H

struct server;

// Has every worker look through its streams. The main thread, while the workers run.
void revoke_streams(struct server *server);

#endif
