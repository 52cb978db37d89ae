// The settings of `freshet serve`, read again while it runs: from the same arguments, the same environment
// and the file as it is now. The main thread.
#ifndef CLI_SERVE_RELOAD_H
#define CLI_SERVE_RELOAD_H

#include "cli/options.h"
#include "server/reload.h"

// `options` are those that the server was started with; they must outlive the source.
struct settings_source serve_reload_source(struct options *options);

#endif
