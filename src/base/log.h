// The log: one line each on standard error, for people or, as JSON, for machines. Only the program
// logs (cli, server, net); the pure layers return errors. Bytes that came from a peer are escaped.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

// Any thread; lines that are being written may still be of the kind before.
void log_setup(enum log_level level, enum log_format format);

// Whether a line of this level would be written: for what is costly to prepare.
bool log_wants(enum log_level level);

// One line: a sentence, without a newline. Any thread.
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
