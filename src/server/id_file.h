// The id file: the newest id that was given out, so that ids go on rising after a restart even when
// the clock was set back in between. Written once a second; what may have been given out since the
// last write is covered by a margin. Main thread.
#ifndef SERVER_ID_FILE_H
#define SERVER_ID_FILE_H

#include "hub/id.h"

// The id above which ids may be given out: 0 with *floor (0 when there is no such file yet),
// ERR_INVALID when the file holds something else, ERR_SYSTEM with errno.
int id_file_read(const char *path, event_id *floor);

// Writes the file anew, so that at any time it is the old one or the new one. 0 or ERR_SYSTEM.
int id_file_write(const char *path, event_id newest);

#endif
