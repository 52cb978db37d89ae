// A command with an option of every type, for the tests of the settings engine and of the help.
#ifndef TESTS_CLI_SAMPLE_H
#define TESTS_CLI_SAMPLE_H

#include "cli/commands.h"
#include "cli/options.h"
#include "support.h"

struct sample {
    bool loud, reconnect;
    char *name, *config, *listen, *once;
    struct texts origins, headers;
    uint64_t max, size;
    int64_t wait;
    int format;
    struct records rooms, doors;
};

// What sections of the file say of one room.
struct sample_room {
    char *name;
    uint64_t max, size;
    int64_t wait;
    bool loud;
    int format;
    char *speaker;
    struct texts origins;
};

// And of one door.
struct sample_door {
    char *name;
    int64_t wait;
};

enum { SAMPLE_ROOMS_MAX = 3 };

extern const struct option sample_table[];
extern const struct option_section sample_sections[];
extern const struct command sample_command;

// A settings struct under the engine, with its defaults applied and every allocation counted.
struct sample_options {
    struct test_mem mem;
    struct sample settings;
    struct options options;
};

void sample_init(struct sample_options *sample);

// Frees it and asserts that nothing is left.
void sample_finish(struct sample_options *sample);

// options_from_args with the arguments up to a NULL.
int sample_args(struct sample_options *sample, ...) __attribute__((sentinel));

#endif
