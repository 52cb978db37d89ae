// What every history has in common: it is destroyed through a pointer that is then NULL.
#include "history/history.h"

void history_destroy(struct history **history) {
    if (*history) {
        (*history)->destroy(*history);
        *history = NULL;
    }
}
