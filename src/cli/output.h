// What the commands write: data on a descriptor, diagnostics on standard error, and text made fit
// for a terminal. A reader that went away is no failure; it is the end.
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buf.h"

// All of it, at once. 0; ERR_GONE when the reader went away or the end was asked for meanwhile;
// ERR_SYSTEM, and errno says how.
int output_write(int fd, struct bytes text);

// Appends the text with everything that could steer a terminal written as \uXXXX: control
// characters but tab (and but line feed, if `lines`), C1 controls, and what turns the direction of
// writing. Bytes that are not UTF-8 become \xXX. 0, ERR_NOMEM or ERR_TOO_LARGE.
int output_escape(struct buf *out, struct bytes text, bool lines);

// "<program>: <sentence>" on standard error, escaped.
void output_say(const char *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
