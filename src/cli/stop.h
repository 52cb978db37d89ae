// The wish to end, as a descriptor: SIGINT and SIGTERM make it readable. The second signal of a
// kind ends the process as if nobody had asked for the first.
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdbool.h>

// Call once, before anything blocks. 0 or ERR_SYSTEM.
int stop_init(void);

// Readable from the first signal on; never read it. -1 before stop_init.
int stop_fd(void);

bool stop_asked(void);

#endif
