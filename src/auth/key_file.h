// Keys and secrets in files, as an editor or a shell leaves them there.
#ifndef AUTH_KEY_FILE_H
#define AUTH_KEY_FILE_H

#include "base/buf.h"

// Appends what the file holds, up to the buffer's ceiling: 0; ERR_SYSTEM and errno; ERR_TOO_LARGE or
// ERR_NOMEM.
int key_file_read(const char *name, struct buf *out);

// Without the ends of lines that are behind it and no part of it.
struct bytes key_file_trim(struct bytes text);

#endif
