// The settings of a command, from one table. A command declares a struct and a table of `struct
// option` that points into it; from that table come its flags, its environment variables, the lines
// of its config file, its help and its man page. A stronger source always wins, in whatever order
// the sources are read: defaults, then the file, then the environment, then the flags.
//
// One thread. Every text and list in the settings struct belongs to it and is freed by
// options_finish; tables and names are borrowed and must outlive the options. Where a function can
// fail it returns a negative error, and options.error holds one sentence that says what to do.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/records.h"
#include "base/texts.h"

enum option_type {
    OPTION_FLAG,     // bool: --name, --no-name, --name=yes
    OPTION_TEXT,     // char *: NULL when it has no default and nobody set it
    OPTION_LIST,     // struct texts: repeatable, and split at commas; empty parts are dropped
    OPTION_LINES,    // struct texts: repeatable, split at line feeds only (HTTP headers)
    OPTION_COUNT,    // uint64_t
    OPTION_SIZE,     // uint64_t, bytes: 512, 64k, 10m, 1g (powers of 1024)
    OPTION_DURATION, // int64_t, milliseconds: 250ms, 15s, 5m, 2h, 1d; a plain number is seconds
    OPTION_CHOICE,   // int: the index into `choices`
    OPTION_ADDRESS,  // char *: host:port, [v6]:port, :port or unix:/path; only its shape is checked
};

enum option_source { OPTION_UNSET, OPTION_DEFAULT, OPTION_FILE, OPTION_ENV, OPTION_ARGS };

enum option_flags {
    OPTION_ARGS_ONLY = 1,    // neither the file nor the environment may set it
    OPTION_NOT_FILE = 2,     // the file may not set it (the name of the file itself)
    OPTION_NOT_OWN_FILE = 4, // `config` of a command that hands the file to another's table
    OPTION_LIVE = 8,         // a new value takes effect while the program runs, when it is reloaded
    OPTION_SECRET = 16,      // its value is never shown
    OPTION_CREDENTIAL =
        32, // the name of a file (TEXT, LIST): `credential:NAME` is one of systemd's
};

// A table ends with an entry whose name is NULL. Names are lower case with hyphens, and never begin
// with `port` or `service`: Kubernetes sets FRESHET_PORT and FRESHET_SERVICE_… by itself.
struct option {
    const char *name;
    char letter; // -x, or 0
    enum option_type type;
    unsigned flags;
    size_t offset;       // of the member in the settings struct
    const char *initial; // the default as one would type it, or NULL: false, 0, no text, no items
    const char *beside;  // the name of a TEXT option: when it is set, the default is `initial_then`
    const char *initial_then;   // (COUNT, SIZE, DURATION)
    uint64_t min, max;          // COUNT, SIZE, DURATION (ms); max 0 means no upper limit
    const char *const *choices; // CHOICE: names, NULL at the end
    const char *value_name;     // what the help calls the value: FILE, N, DURATION
    const char *help;           // a sentence or two
    const char *group;          // the heading it stands under; options of a group stand together
};

// A setting of the table that a section may hold, of any type.
struct option_member {
    const char *name;
    size_t offset; // in the section's item
};

// Sections of the config file, and only of that: `[name "argument"]`, repeatable, each with an argument
// of its own. Each becomes an item, a struct that begins with its argument (char *) and starts with
// the values that the settings have for the whole program; texts and lists start empty, and their
// reader takes an empty one as it sees fit. A list of them ends with a NULL name.
struct option_section {
    const char *name;
    const char *argument;                          // what the help calls it: PATTERN
    size_t offset;                                 // of a struct records in the settings struct
    size_t size;                                   // of an item
    size_t most;                                   // items
    bool live;                                     // as OPTION_LIVE, all that it may hold
    const struct option_member *members;           // NULL at the end
    const char *(*problem)(struct bytes argument); // a sentence, or NULL when it is fine
    const char *help;                              // a sentence or two
    const char *example;                           // lines, each ended by a line feed
};

enum {
    OPTIONS_MAX = 128,
    OPTIONS_ERROR_MAX = 640,
    OPTIONS_FILE_MAX = 1 << 20,
    OPTIONS_LINE_MAX = 8192
};

struct options {
    const struct mem *mem;
    const struct option *table;
    const struct option_section *sections; // NULL: none. The owner sets it after options_init
    void *settings;
    const char *program; // how error sentences call the command: "freshet serve"
    struct texts rest;   // the positional arguments, in order
    // What options_load was given, for whoever reads everything again. Borrowed.
    int argc;
    const char *const *argv, *const *environment;
    uint8_t sources[OPTIONS_MAX];
    char error[OPTIONS_ERROR_MAX];
};

// What options_from_args and options_load return when the user asked for something else than a run.
enum options_request {
    OPTIONS_RUN = 0,
    OPTIONS_HELP,
    OPTIONS_HELP_MARKDOWN,
    OPTIONS_HELP_MAN,
    OPTIONS_HELP_MAN_FILE, // of a command that has a config file
};

// `settings` is the command's struct, all zero. Allocates nothing.
void options_init(struct options *options, const struct mem *mem, const struct option *table,
                  void *settings, const char *program);

// Frees every text and list that the engine put into the settings, and `rest`. Safe after any
// failure, and twice.
void options_finish(struct options *options);

// Each of these reads one source: 0, ERR_INVALID, ERR_NOMEM, and for the file ERR_SYSTEM or
// ERR_TOO_LARGE. After a failure the settings hold a part; only options_finish makes sense.
int options_defaults(struct options *options);
int options_from_file(struct options *options, const char *path);
int options_from_env(struct options *options, const char *const *environment);
// The arguments without the program's and the command's name. An options_request, or an error.
int options_from_args(struct options *options, int argc, const char *const *argv);

// All of the above, for a command: defaults, arguments, environment, and then the file that the
// TEXT option called `config` names, if the table has one and it is set and is its own. Then names of
// credentials become names of files. An options_request, or an error.
int options_load(struct options *options, int argc, const char *const *argv,
                 const char *const *environment);

// Puts a copy of the value at `from` in the place of that at `to`, which is freed: 0 or ERR_NOMEM.
int option_copy(const struct mem *mem, const struct option *option, void *to, const void *from);
bool option_same(const struct option *option, const void *a, const void *b);
// The value as one would write it, cut to fit; of a secret, nothing.
void option_text(const struct option *option, const void *at, char *out, size_t size);

// The request that this argument makes: --help and its kin, else OPTIONS_RUN.
enum options_request options_request_of(const char *argument);

// Which source the value in force came from. OPTION_UNSET for a name that is not in the table.
enum option_source options_source(const struct options *options, const char *name);

// FRESHET_MAX_CONNECTIONS from max-connections. False when it does not fit.
bool option_env_name(const struct option *option, char *out, size_t size);

// The bounds of a number ("from 1 to 10", "at least 1k") or the names of a choice ("text or json");
// empty when there are none.
void option_range(const struct option *option, char *out, size_t size);

// "a, b and c": the settings that a section may hold. Truncated to fit.
void option_section_names(const struct option_section *section, char *out, size_t size);

// What a value has to look like, for people: "a whole number, from 1 to 10". Truncated to fit.
void option_accepts(const struct option *option, char *out, size_t size);

#endif
