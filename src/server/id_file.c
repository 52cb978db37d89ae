// One line with one id, replaced by rename(2).
#include "server/id_file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"

enum { MARGIN_MS = 10000 };

int id_file_read(const char *path, event_id *floor) {
    char line[ID_TEXT_MAX + 2];
    *floor = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        return errno == ENOENT ? 0 : ERR_SYSTEM;
    }
    size_t len = fread(line, 1, sizeof(line), file);
    fclose(file);
    len -= len && line[len - 1] == '\n';
    event_id margin = id_from_ms(MARGIN_MS);
    if (!id_parse(bytes_make(line, len), floor) || *floor > UINT64_MAX - margin) {
        return ERR_INVALID;
    }
    *floor += margin;
    return 0;
}

static int write_line(const char *path, const char *line, size_t len) {
    FILE *file = fopen(path, "we");
    if (!file) {
        return ERR_SYSTEM;
    }
    bool written = fwrite(line, 1, len, file) == len && fflush(file) == 0 && !fsync(fileno(file));
    return fclose(file) == 0 && written ? 0 : ERR_SYSTEM;
}

int id_file_write(const char *path, event_id newest) {
    char line[ID_TEXT_MAX + 1], temporary[4096];
    size_t len = id_format(newest, line);
    line[len++] = '\n';
    int size = snprintf(temporary, sizeof(temporary), "%s.new", path);
    if (size < 0 || (size_t)size >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return ERR_SYSTEM;
    }
    int rc = write_line(temporary, line, len);
    return rc ? rc : rename(temporary, path) ? ERR_SYSTEM : 0;
}
