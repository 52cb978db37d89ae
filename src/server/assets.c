// There are a dozen of them, and browsers keep them: looking at each is quick enough.
#include "server/assets.h"

const struct asset *assets_find(struct bytes path) {
    for (size_t i = 0; i < assets_count; i++) {
        if (bytes_is(path, assets[i].path)) {
            return &assets[i];
        }
    }
    return NULL;
}
