// The loop around libcurl's multi interface: it waits on libcurl's sockets, on the stop descriptor
// and on the upload at once, so that none of them has to wait for another.
#include "client/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/select.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/error.h"

enum { HEADER_KEPT = 256 };

struct transfer {
    const struct mem *mem;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    const struct transfer_request *request;
    char content_type[HEADER_KEPT], retry_after[HEADER_KEPT];
    bool head_done;     // the final head was handed out
    bool cut;           // a callback asked for the end
    bool upload_paused; // until the descriptor has more
    bool upload_done;
    int64_t last_byte; // when the peer last sent something
    char curl_error[CURL_ERROR_SIZE];
    char reason[CURL_ERROR_SIZE + 64];
};

static void keep_header(char kept[HEADER_KEPT], struct bytes line, const char *name) {
    size_t len = strlen(name);
    if (line.len < len || strncasecmp(line.at, name, len) != 0) {
        return;
    }
    struct bytes value = bytes_trim(bytes_make(line.at + len, line.len - len));
    snprintf(kept, HEADER_KEPT, "%.*s", (int)(value.len < HEADER_KEPT ? value.len : 0), value.at);
}

static int hand_out_head(struct transfer *transfer) {
    struct transfer_head head = {.content_type = bytes_of(transfer->content_type),
                                 .retry_after = bytes_of(transfer->retry_after)};
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &head.status);
    if (head.status < 200) {
        return 0; // 100 Continue and its kin: the head is still to come
    }
    transfer->head_done = true;
    return transfer->request->on_head(transfer->request->user_data, &head);
}

static size_t on_header(char *at, size_t one, size_t len, void *user_data) {
    struct transfer *transfer = user_data;
    struct bytes line = bytes_make(at, len);
    transfer->last_byte = clock_mono_ms();
    while (line.len && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r')) {
        line.len--;
    }
    if (bytes_starts_with(line, "HTTP/")) {
        transfer->content_type[0] = transfer->retry_after[0] = '\0';
    }
    keep_header(transfer->content_type, line, "content-type:");
    keep_header(transfer->retry_after, line, "retry-after:");
    if (line.len == 0 && !transfer->head_done && hand_out_head(transfer) != 0) {
        transfer->cut = true;
        return 0;
    }
    return len;
}

static size_t on_write(char *at, size_t one, size_t len, void *user_data) {
    struct transfer *transfer = user_data;
    transfer->last_byte = clock_mono_ms();
    if (transfer->request->on_body(transfer->request->user_data, bytes_make(at, len)) != 0) {
        transfer->cut = true;
        return len == 0; // anything but len ends the transfer
    }
    return len;
}

// libcurl asks for more to upload. The descriptor may be blocking, so it is asked before it is
// read.
static size_t on_read(char *at, size_t one, size_t room, void *user_data) {
    struct transfer *transfer = user_data;
    const struct transfer_request *request = transfer->request;
    struct pollfd ready = {.fd = request->upload_fd, .events = POLLIN};
    if (poll(&ready, 1, 0) == 0) {
        transfer->upload_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    ssize_t got = read(request->upload_fd, at, room);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        transfer->upload_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (got < 0) {
        snprintf(transfer->reason, sizeof(transfer->reason), "cannot read the input: %s",
                 strerror(errno));
        return CURL_READFUNC_ABORT;
    }
    transfer->upload_done = got == 0;
    transfer->last_byte = clock_mono_ms();
    if (got > 0 && request->on_upload) {
        request->on_upload(request->user_data, (size_t)got);
    }
    return (size_t)got;
}

int transfer_create(struct transfer **out, const struct mem *mem) {
    *out = NULL;
    struct transfer *transfer = mem_new(mem, sizeof(*transfer));
    if (!transfer) {
        return ERR_NOMEM;
    }
    transfer->mem = mem;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        mem_free(mem, transfer);
        return ERR_NOMEM;
    }
    transfer->multi = curl_multi_init();
    transfer->easy = curl_easy_init();
    if (!transfer->multi || !transfer->easy) {
        transfer_destroy(transfer);
        return ERR_NOMEM;
    }
    *out = transfer;
    return 0;
}

void transfer_destroy(struct transfer *transfer) {
    if (transfer) {
        curl_easy_cleanup(transfer->easy);
        curl_multi_cleanup(transfer->multi);
        curl_slist_free_all(transfer->headers);
        curl_global_cleanup();
        mem_free(transfer->mem, transfer);
    }
}

static void set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_body(struct transfer *transfer, const struct transfer_request *request) {
    CURL *easy = transfer->easy;
    if (!request->post) {
        return;
    }
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (request->upload_fd >= 0) {
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    } else {
        // A NULL body would make libcurl read one from standard input.
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len ? request->body.at : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
}

static void set_credentials(CURL *easy, const struct transfer_request *request) {
    if (request->user && (*request->user || *request->password)) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password);
    }
}

static int add_header(struct transfer *transfer, const char *line) {
    struct curl_slist *more = curl_slist_append(transfer->headers, line);
    transfer->headers = more ? more : transfer->headers;
    return more ? 0 : ERR_NOMEM;
}

static int set_headers(struct transfer *transfer, const struct transfer_request *request) {
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    // Waiting for 100 Continue would hold back an upload that is worth having only while it is new.
    int rc = request->post ? add_header(transfer, "Expect:") : 0;
    for (size_t i = 0; rc == 0 && request->headers && request->headers[i]; i++) {
        rc = add_header(transfer, request->headers[i]);
    }
    // A body of unknown length needs this on HTTP/1.1, and libcurl drops it on HTTP/2.
    if (rc == 0 && request->post && request->upload_fd >= 0) {
        rc = add_header(transfer, "Transfer-Encoding: chunked");
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return rc;
}

static int prepare(struct transfer *transfer, const struct transfer_request *request) {
    CURL *easy = transfer->easy;
    curl_easy_reset(easy);
    transfer->request = request;
    transfer->head_done = transfer->cut = transfer->upload_paused = transfer->upload_done = false;
    transfer->reason[0] = transfer->curl_error[0] = '\0';
    transfer->last_byte = clock_mono_ms();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "freshet/" FRESHET_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    set_protocols(easy);
    set_credentials(easy, request);
    set_body(transfer, request);
    // Last, because it is what can tell that memory has run out: libcurl copies the URL.
    int rc = set_headers(transfer, request);
    return rc || curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ? ERR_NOMEM : 0;
}

static bool idle_applies(const struct transfer *transfer) {
    const struct transfer_request *request = transfer->request;
    return request->idle_timeout_ms > 0 && (request->upload_fd < 0 || transfer->upload_done);
}

static int64_t idle_left(const struct transfer *transfer) {
    int64_t left = transfer->last_byte + transfer->request->idle_timeout_ms - clock_mono_ms();
    return left < 0 ? 0 : left;
}

// One wait for whatever comes first. False when the transfer is to be stopped.
static bool wait_for_news(struct transfer *transfer) {
    struct curl_waitfd extra[2] = {
        {.fd = transfer->request->stop_fd, .events = CURL_WAIT_POLLIN},
        {.fd = transfer->request->upload_fd, .events = CURL_WAIT_POLLIN}};
    bool stoppable = transfer->request->stop_fd >= 0;
    int64_t left = idle_applies(transfer) ? idle_left(transfer) : 60000;
    curl_multi_poll(transfer->multi, extra + !stoppable,
                    (unsigned)stoppable + transfer->upload_paused, left > 60000 ? 60000 : (int)left,
                    NULL);
    if (stoppable && extra[0].revents) {
        return false;
    }
    // The far end of a pipe that was closed is no POLLIN, so the reader finds out for itself.
    if (transfer->upload_paused) {
        transfer->upload_paused = false;
        curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
    return true;
}

static bool is_hopeless(CURLcode code) {
    return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_ABORTED_BY_CALLBACK;
}

static enum transfer_end judge(struct transfer *transfer, CURLcode code) {
    if (transfer->cut) {
        return TRANSFER_CUT;
    }
    if (code == CURLE_OK) {
        return TRANSFER_DONE;
    }
    if (transfer->reason[0] == '\0') {
        snprintf(transfer->reason, sizeof(transfer->reason), "%s",
                 transfer->curl_error[0] ? transfer->curl_error : curl_easy_strerror(code));
    }
    return is_hopeless(code) ? TRANSFER_REFUSED : TRANSFER_BROKEN;
}

// libcurl takes the end of the peer's side for the end of an answer only once it has nothing more
// to send, which for an upload that is waiting for input may be never. Until then it just stops
// looking at the socket.
static bool peer_left_upload(struct transfer *transfer) {
    fd_set in, out, odd;
    int highest = -1;
    if (!transfer->upload_paused) {
        return false;
    }
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&odd);
    return curl_multi_fdset(transfer->multi, &in, &out, &odd, &highest) == CURLM_OK && highest < 0;
}

// The end of the transfer, if it has come: true and *end.
static bool has_ended(struct transfer *transfer, enum transfer_end *end) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(transfer->multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *end = judge(transfer, message->data.result);
            return true;
        }
    }
    if (peer_left_upload(transfer)) {
        snprintf(transfer->reason, sizeof(transfer->reason), "the server closed the connection");
        *end = TRANSFER_BROKEN;
        return true;
    }
    if (idle_applies(transfer) && idle_left(transfer) == 0) {
        snprintf(transfer->reason, sizeof(transfer->reason), "nothing came for %lld seconds",
                 (long long)(transfer->request->idle_timeout_ms / 1000));
        *end = TRANSFER_BROKEN;
        return true;
    }
    return false;
}

static enum transfer_end loop(struct transfer *transfer) {
    enum transfer_end end;
    int running;
    for (;;) {
        if (curl_multi_perform(transfer->multi, &running) != CURLM_OK) {
            snprintf(transfer->reason, sizeof(transfer->reason), "the HTTP client failed");
            return TRANSFER_BROKEN;
        }
        if (has_ended(transfer, &end)) {
            return end;
        }
        if (!wait_for_news(transfer)) {
            return TRANSFER_STOPPED;
        }
    }
}

enum transfer_end transfer_run(struct transfer *transfer, const struct transfer_request *request) {
    if (prepare(transfer, request) != 0 ||
        curl_multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK) {
        snprintf(transfer->reason, sizeof(transfer->reason), "there is not enough memory");
        return TRANSFER_REFUSED;
    }
    enum transfer_end end = loop(transfer);
    curl_multi_remove_handle(transfer->multi, transfer->easy);
    return end;
}

const char *transfer_reason(const struct transfer *transfer) {
    return transfer->reason;
}

const char *transfer_location(const struct transfer *transfer) {
    char *location = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
    return location;
}
