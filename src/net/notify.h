// What a service manager wants to hear of a service (sd_notify(3), without its library). Any
// thread.
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

// Sends the words, such as "READY=1", to the socket that NOTIFY_SOCKET names: a path, or @name.
// Never waits. 0, also when `socket` is NULL: nobody wants to know; or ERR_SYSTEM with errno.
int notify_send(const char *socket, const char *words);

#endif
