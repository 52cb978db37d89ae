// One HTTP request after another on libcurl, each run to its end while the caller waits, and ended
// at once when a descriptor says so. It follows no redirect and repeats nothing: whoever asks
// decides on that. Only http and https.
//
// One thread; create and destroy from the main thread, since libcurl's global state comes with
// them.
#ifndef CLIENT_TRANSFER_H
#define CLIENT_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/mem.h"

struct transfer;

struct transfer_head {
    long status;
    struct bytes content_type, retry_after; // empty when absent
};

struct transfer_request {
    const char *url;
    const char *user, *password; // NULL for none
    const char *const *headers;  // "Name: value", NULL at the end
    bool post;                   // else GET
    struct bytes body;           // of a POST that is not uploaded
    int upload_fd;               // the body of a POST is read from here as it comes; -1 for none
    int stop_fd;                 // readable: end at once; -1 for none
    int64_t connect_timeout_ms;  // 0 for libcurl's
    int64_t idle_timeout_ms; // without a byte from the peer; 0 for none, and none while uploading
    // The final status and headers; then the body in pieces. Other than 0 ends the transfer.
    int (*on_head)(void *user_data, const struct transfer_head *head);
    int (*on_body)(void *user_data, struct bytes bytes);
    void (*on_upload)(void *user_data, size_t len); // so many more bytes were read; may be NULL
    void *user_data;
};

enum transfer_end {
    TRANSFER_DONE,    // the answer came to its end
    TRANSFER_STOPPED, // stop_fd
    TRANSFER_CUT,     // a callback ended it
    TRANSFER_BROKEN,  // the network: it may work next time
    TRANSFER_REFUSED, // nothing that a repetition would change: the URL, a certificate
};

// 0 or ERR_NOMEM.
int transfer_create(struct transfer **out, const struct mem *mem);
void transfer_destroy(struct transfer *transfer);

// Returns when the request has ended; connections are kept for the next one to the same server.
enum transfer_end transfer_run(struct transfer *transfer, const struct transfer_request *request);

// Why the last run was broken or refused: a sentence without a capital or full stop.
const char *transfer_reason(const struct transfer *transfer);

// Where the last answer, a redirect that came to its end, points to, made absolute; NULL for
// nowhere. Until the next run.
const char *transfer_location(const struct transfer *transfer);

#endif
