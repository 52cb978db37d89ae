// The query parameters that the lists under /api share: limit, after, search, and one filter.
#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

#include "server/exchange.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

struct page {
    size_t limit;
    struct bytes after, filter, search; // in `text`
    struct buf text;
};

// Reads them; `filter_name` names the filter. True when all is well; else the exchange has been
// answered. page_finish must follow in both cases.
bool page_read(struct page *page, struct exchange *exchange, const struct http_request *req,
               const char *filter_name);
void page_finish(struct page *page);

#endif
