// What the programs here all need around a measurement, as lab.mjs is for the scripts: clocks, a
// processor of one's own, the descriptors that there are, another process's processor time; and an
// end with a reason when one of them is not to be had. It measures nothing by itself.
#ifndef BENCH_LAB_H
#define BENCH_LAB_H

#include <stdint.h>
#include <time.h>

int64_t lab_now_ns(clockid_t clock);
double lab_now_s(clockid_t clock);

// On the monotonic clock.
void lab_sleep_until_ns(int64_t ns);

// Of this thread; below 0 it stays wherever it is put.
void lab_pin(int cpu);

// As many as the system lets this process have.
void lab_take_descriptors(void);

// What a process has used of the processors.
double lab_cpu_s(int pid);

// End the program, with what failed, and why: errno says it, or there is no more to say.
_Noreturn void lab_die(const char *what);
_Noreturn void lab_give_up(const char *why);

#endif
