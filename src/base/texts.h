// A list of terminated texts, as settings hold them.
#ifndef BASE_TEXTS_H
#define BASE_TEXTS_H

#include <stddef.h>

struct texts {
    char **items;
    size_t count;
};

#endif
