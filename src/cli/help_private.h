// What the three forms of help share: text that is wrapped, and how an option is spelled.
#ifndef CLI_HELP_PRIVATE_H
#define CLI_HELP_PRIVATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/options.h"

extern const char help_tagline[];

// The buffer with the first failure remembered, so that a page is written without asking after each
// line whether the one before went well.
struct help {
    struct buf *out;
    size_t width;
    size_t column; // where the line being written stands
    int rc;
};

void help_text(struct help *help, const char *text);
void help_printf(struct help *help, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The text from the current column on, broken at blanks (and within a word only when it is wider
// than a line); following lines begin at `indent`. Ends the line. Empty text writes nothing.
void help_wrap(struct help *help, size_t indent, const char *text);

// "-q, --quiet", "--url URL", "--[no-]reconnect".
void help_spelling(const struct option *option, char *out, size_t size);

// The help of the option and, where that says something, what it accepts and its default.
// The default as people read it: "1000", or "1000; 1000000 with --data". False when there is none to
// tell.
bool help_default(const struct option *option, char *out, size_t size);
void help_sentence(const struct option *option, char *out, size_t size);

// roff: backslashes and leading dots are escaped, hyphens can be copied, and a line feed begins a new
// paragraph; or lines, each as it is.
void help_roff(struct help *help, const char *text);
void help_roff_lines(struct help *help, const char *lines);

// Whether the command reads a config file.
bool help_has_file(const struct option *table);

// Where else than on the command line settings may stand, and which source wins; empty when
// nowhere.
void help_sources(const struct option *table, char *out, size_t size);

// What a section of the file is, how it is written, and what it may hold: a paragraph.
void help_section(const struct option_section *section, char *out, size_t size);

// What a config file looks like, a paragraph a line.
extern const char help_file_format[];

#endif
