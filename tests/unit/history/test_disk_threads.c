// The history on disk under threads: beside those that append and read there is its own, which moves
// what waits to the disk underneath them.
#include "disk_place.h"
#include "threads.h"

int main(void) {
    return threads_run(&DISK);
}
