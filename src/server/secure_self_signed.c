// The certificate of --tls-self-signed: made once, kept where programs keep their state, and told of in
// the log with what one needs to trust it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "net/tls_self_signed.h"
#include "server/secure.h"
#include "server/server.h"

static int state_folder(char *out, size_t size) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/') {
        snprintf(out, size, "%s/freshet", state);
    } else if (home && *home == '/') {
        snprintf(out, size, "%s/.local/state/freshet", home);
    } else {
        errno = ENOENT;
        return ERR_SYSTEM;
    }
    return 0;
}

int secure_prepare_self_signed(struct server *server) {
    struct secure *secure = &server->secure;
    struct tls_self_signed made;
    char folder[2048], host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    int rc = state_folder(folder, sizeof(folder));
    rc = rc ? rc : tls_self_signed_prepare(&made, folder, host);
    if (rc) {
        snprintf(
            server->problem, sizeof(server->problem),
            "--tls-self-signed: cannot keep a certificate in %.100s: %s; set XDG_STATE_HOME to "
            "a folder that can be written",
            rc == ERR_SYSTEM && errno == ENOENT ? "~/.local/state/freshet" : folder,
            rc == ERR_SYSTEM ? strerror(errno) : "the path is too long, or memory is short");
        return ERR_SYSTEM;
    }
    secure->self_signed.items = calloc(1, sizeof(char *));
    char *file = strdup(made.server);
    if (!secure->self_signed.items || !file) {
        free(file);
        return ERR_NOMEM;
    }
    secure->self_signed.items[0] = file;
    secure->self_signed.count = 1;
    log_write(LOG_INFO, "self-signed certificate %s, SHA-256 %s", made.cert, made.fingerprint);
    log_write(LOG_INFO,
              "to trust it: curl --cacert %s, NODE_EXTRA_CA_CERTS=%s, or import it in the browser",
              made.cert, made.cert);
    return 0;
}
