// What the parts of the settings engine share: options.c owns the values, options_value.c reads
// them, options_args.c and options_file.c are the sources, options_section.c knows the parts of a
// file. Nobody else includes this.
#ifndef CLI_OPTIONS_PRIVATE_H
#define CLI_OPTIONS_PRIVATE_H

#include "base/bytes.h"
#include "base/error.h"
#include "cli/options.h"

// Writes the sentence and returns `code`.
int options_fail(struct options *options, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The option of that name, or NULL.
const struct option *options_find(const struct option *table, struct bytes name);

// Parses `value` and stores it, unless a stronger source has spoken; a bad value is an error even
// then. `label` is what the user wrote, for the sentence: "--retry", "FRESHET_RETRY", "f.conf:3:
// retry".
int options_set(struct options *options, const struct option *option, enum option_source source,
                const char *label, struct bytes value);

// The same for a place of its own, whoever has spoken about the setting itself.
int options_set_at(struct options *options, const struct option *option, void *at,
                   const char *label, struct bytes value);

// Frees the text or the list of a setting that is at `at`; it is empty then. Numbers stay.
void options_clear_at(const struct mem *mem, const struct option *option, void *at);

// Sets the defaults that hang on whether another option was set: after every source has spoken, which
// is at the head of the file's first section, or at its end. Twice is as good as once.
int options_settle(struct options *options);

// Puts the file for each `credential:NAME`: it is in the directory that the environment names, where
// the service manager keeps what it was told by LoadCredential=.
int options_credentials(struct options *options, const char *const *environment);

// A section's items, each of which begins with its argument.
struct records *options_records(const struct options *options,
                                const struct option_section *section);
char **options_item(const struct records *records, const struct option_section *section,
                    size_t place);

// The line begins a section: makes its item. `where` begins the sentences.
int options_section_begin(struct options *options, const char *where, struct bytes line,
                          const struct option_section **out);

// The setting of that name in the section's newest item.
int options_section_find(struct options *options, const char *where,
                         const struct option_section *section, struct bytes name,
                         const struct option **option, void **at);
void options_sections_finish(struct options *options);
void options_section_clear(struct options *options, const struct option_section *section);

// A copy of the text at the end of the list: 0 or ERR_NOMEM.
int option_list_append(const struct mem *mem, struct texts *list, struct bytes text);
void option_list_finish(const struct mem *mem, struct texts *list);

// Fails with "…there is no <kind> <name>" and the nearest name, or where the names are listed.
int options_unknown(struct options *options, const char *where, const char *kind,
                    const char *prefix, struct bytes name);

// The value as a sentence may show it: in quotes, controls escaped, long ones cut.
enum { OPTION_QUOTE_MAX = 200 };
const char *option_quote(struct bytes value, char out[OPTION_QUOTE_MAX]);

// A number with the largest unit that leaves it whole.
void option_number_text(const struct option *option, uint64_t number, char *out, size_t size);

// The readers of options_value.c: false when the value is not of that form or out of range.
bool option_read_flag(struct bytes value, bool *out);
bool option_read_number(const struct option *option, struct bytes value, uint64_t *out);
bool option_read_choice(const struct option *option, struct bytes value, int *out);
bool option_read_address(struct bytes value);

#endif
