// What a service manager wants to hear of a service (sd_notify(3), without its library). Any
// thread.
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include <stdint.h>

// Sends the words, such as "READY=1", to the socket that NOTIFY_SOCKET names: a path, or @name.
// Never waits. 0, also when `socket` is NULL: nobody wants to know; or ERR_SYSTEM with errno.
int notify_send(const char *socket, const char *words);

// Says that the service has begun to read its settings again, which READY=1 is to follow. With the
// moment (clock_mono_us), by which the manager knows that this is the answer to its signal. As
// notify_send.
int notify_reloading(const char *socket, int64_t now_us);

#endif
