// The two clocks: the wall (what people read, may step) and the monotonic one (for intervals).
// The layers below net take the time as an argument; only loops and main() ask.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

#endif
