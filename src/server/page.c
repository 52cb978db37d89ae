// Reading the parameters of a list.
#include "server/page.h"

#include "base/error.h"
#include "http/url.h"

static bool take_limit(struct page *page, struct exchange *exchange, struct bytes value) {
    uint64_t limit;
    if (!bytes_to_u64(value, PAGE_MAX, &limit) || limit == 0) {
        exchange_problem(exchange, 400, "the query parameter `limit` takes a number from 1 to %d",
                         PAGE_MAX);
        return false;
    }
    page->limit = (size_t)limit;
    return true;
}

bool page_read(struct page *page, struct exchange *exchange, const struct http_request *req,
               const char *filter_name) {
    struct http_query_iter iter;
    struct bytes name, value;
    *page = (struct page){.limit = PAGE_DEFAULT};
    buf_init(&page->text, &mem_libc, 0);
    int rc = http_query_init(&iter, req->query, &page->text);
    while (rc == 0 && (rc = http_query_next(&iter, &name, &value)) == 1) {
        rc = 0;
        if (bytes_is(name, "limit") && !take_limit(page, exchange, value)) {
            return false;
        }
        if (bytes_is(name, "after")) {
            page->after = value;
        } else if (bytes_is(name, "search")) {
            page->search = value;
        } else if (bytes_is(name, filter_name)) {
            page->filter = value;
        }
    }
    if (rc) {
        exchange_problem(exchange, rc == ERR_INVALID ? 400 : 503,
                         "the query could not be read; a %% in it is written %%25");
    }
    return rc == 0;
}

void page_finish(struct page *page) {
    buf_finish(&page->text);
}
