// The descriptors that a process may have, for those that open them by the thousand. Both while the
// process has only one thread.
#ifndef NET_DESCRIPTORS_H
#define NET_DESCRIPTORS_H

#include <stdint.h>

// Takes all that the system gives: how many that is; 0 when it does not say.
uint64_t descriptors_raise(void);

// Makes the kernel's table of this process large enough for so many, as far as the limit allows. In
// a process with threads each growth waits for a grace period of the kernel (RCU): 5 to 25 ms in
// which the thread that accepts or connects stands still, at 256, 512, 1,024 descriptors and so on.
void descriptors_widen(uint64_t count);

#endif
