// A half-written export must not be taken for a whole one: so the file is written beside its name and
// renamed at the end, after it is on disk.
#include "cli/history_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/output.h"

enum { ENOUGH = 256 * 1024 };

static bool is_special(const char *name) {
    struct stat stat_of;
    return stat(name, &stat_of) == 0 && !S_ISREG(stat_of.st_mode);
}

int history_sink_open(struct history_sink *sink, const char *name) {
    *sink = (struct history_sink){.name = name, .fd = STDOUT_FILENO};
    buf_init(&sink->buf, &mem_libc, 0);
    if (!name) {
        return 0;
    }
    if (!is_special(name) && asprintf(&sink->part, "%s.part", name) < 0) {
        sink->part = NULL;
        return ERR_NOMEM;
    }
    int flags = sink->part ? O_CREAT | O_TRUNC : 0;
    sink->fd = open(sink->part ? sink->part : name, O_WRONLY | O_CLOEXEC | flags, 0600);
    if (sink->fd < 0) {
        free(sink->part);
        return ERR_SYSTEM;
    }
    return 0;
}

int history_sink_flush(struct history_sink *sink, bool all) {
    if (!all && sink->buf.len < ENOUGH) {
        return 0;
    }
    int rc = output_write(sink->fd, buf_bytes(&sink->buf));
    sink->bytes += rc ? 0 : sink->buf.len;
    buf_clear(&sink->buf);
    return rc;
}

static int settle(struct history_sink *sink, bool whole) {
    if (!whole || !sink->part) {
        return 0;
    }
    return fsync(sink->fd) || rename(sink->part, sink->name) ? ERR_SYSTEM : 0;
}

int history_sink_close(struct history_sink *sink, bool whole) {
    int rc = settle(sink, whole);
    int why = errno;
    if (sink->name) {
        close(sink->fd);
    }
    if (sink->part && (rc || !whole)) {
        (void)unlink(sink->part);
    }
    free(sink->part);
    buf_finish(&sink->buf);
    errno = why;
    return rc;
}
