// The settings of `freshet serve`: the one table behind its flags, environment, config file, help and
// manual; and the sections of its file.
#ifndef CLI_SERVE_OPTIONS_H
#define CLI_SERVE_OPTIONS_H

#include "cli/options.h"

extern const struct option serve_options[];
extern const struct option_section serve_sections[];

#endif
