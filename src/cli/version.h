// What `freshet --version` prints: the program's version and what it was built with.
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

// A status of commands.h.
int version_print(void);

#endif
