// Unix sockets that listen: their files. A file that nobody listens on any more is taken over; one
// that is in use, or is something else, never. One thread: the one that starts and ends the server.
#ifndef NET_UNIX_SOCKET_H
#define NET_UNIX_SOCKET_H

#include <sys/types.h>

#include "net/address.h"

// Who may connect: whoever may write to the file.
struct unix_access {
    int mode; // -1: what the umask leaves
    uid_t user;
    gid_t group; // (uid_t)-1, (gid_t)-1: those of the process
};

// The file that a socket made, to be known again.
struct unix_file {
    char path[ADDRESS_TEXT_MAX]; // empty: none
    dev_t device;
    ino_t inode;
};

// Names or numbers, either may be empty. NULL, or a sentence that says what is wrong.
const char *unix_socket_owner(struct bytes user, struct bytes group, struct unix_access *out);

// A bound socket that does not listen yet, non-blocking, and its file: nobody can connect before
// access is as it should be. A descriptor, or ERR_SYSTEM with errno: EADDRINUSE when somebody
// listens there, EEXIST when the file is no socket.
int unix_socket_bind(const struct address *address, const struct unix_access *access,
                     struct unix_file *file);

// Removes the file if it is still the one that was made. To be called while a descriptor of the
// socket is open, so that no other file can have its number. Harmless the second time.
void unix_socket_remove(struct unix_file *file);

#endif
