// One address that a server listens on. The main thread.
#ifndef SERVER_LISTENING_H
#define SERVER_LISTENING_H

#include "net/listen_spec.h"
#include "net/unix_socket.h"
#include "server/exchange.h"
#include "server/settings.h"

struct server;
struct tls_source;

// The texts of --listen, and behind them those of --admin-listen.
static inline size_t listening_wanted(const struct settings *settings) {
    return settings->listen.count + settings->admin_listen.count;
}
static inline const char *listening_text(const struct settings *settings, size_t i) {
    return i < settings->listen.count ? settings->listen.items[i]
                                      : settings->admin_listen.items[i - settings->listen.count];
}

struct listening {
    struct listen_spec spec;
    struct address address; // as bound
    struct unix_access access;
    struct unix_file file;
    struct tls_source *source; // its certificates; NULL: it speaks plain text
    bool http2;
    enum entrance entrance;
};

// Binds spec.address and hands the sockets to the workers; a port that was chosen is in `address`. 0,
// or ERR_SYSTEM with errno.
int listening_bind(struct server *server, struct listening *at);

// The same with a socket that is bound already, which passes to it in any case.
int listening_adopt(struct server *server, const struct listening *at, int fd);

#endif
