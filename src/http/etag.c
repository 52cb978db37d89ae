// Finding a tag in a list. What it cannot read it takes for another tag: then the answer is sent
// once more than needed, which harms nobody.
#include "http/etag.h"

#include "http/token.h"

bool http_etag_listed(struct bytes list, struct bytes etag) {
    struct bytes one;
    if (bytes_is(bytes_trim(list), "*")) {
        return true;
    }
    while (http_list_next(&list, ',', &one)) {
        size_t weak = bytes_starts_with(one, "W/") ? 2 : 0;
        if (bytes_equal(bytes_make(one.at + weak, one.len - weak), etag)) {
            return true;
        }
    }
    return false;
}
