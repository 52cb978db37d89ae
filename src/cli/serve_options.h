// The settings of `freshet serve`: the one table behind its flags, environment, config file, help and
// manual.
#ifndef CLI_SERVE_OPTIONS_H
#define CLI_SERVE_OPTIONS_H

#include "cli/options.h"

extern const struct option serve_options[];

#endif
