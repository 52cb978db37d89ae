// Reading small files whole.
#include "auth/key_file.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"

int key_file_read(const char *name, struct buf *out) {
    char piece[4096];
    size_t got;
    int rc = 0;
    FILE *file = fopen(name, "re");
    if (!file) {
        return ERR_SYSTEM;
    }
    while (rc == 0 && (got = fread(piece, 1, sizeof(piece), file)) > 0) {
        rc = buf_append(out, piece, got);
    }
    if (rc == 0 && ferror(file)) {
        rc = ERR_SYSTEM;
    }
    int error = errno;
    fclose(file);
    errno = error;
    return rc;
}

struct bytes key_file_trim(struct bytes text) {
    while (text.len && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r')) {
        text.len--;
    }
    return text;
}
