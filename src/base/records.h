// A list of structs of one kind, as settings hold what a config file says in sections.
#ifndef BASE_RECORDS_H
#define BASE_RECORDS_H

#include <stddef.h>

struct records {
    void *items;
    size_t count;
};

#endif
