// The history in memory under threads.
#include "threads.h"

static const struct backend MEMORY = {.name = "memory", .create = history_memory_create};

int main(void) {
    return threads_run(&MEMORY);
}
