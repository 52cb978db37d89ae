// A program that was built without the console serves no files.
#include "server/assets.h"

const struct asset assets[1] = {{0}};
const size_t assets_count = 0;
