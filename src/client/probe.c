// libcurl's multi interface with every connection on its own. Errors of one inquiry never touch
// another.
#include "client/probe.h"

#include <stdio.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/error.h"

struct probe {
    const struct mem *mem;
    CURLM *multi;
    int stop_fd;
    const char *authorities; // NULL: those of the system
};

struct inquiry {
    struct probe *probe;
    CURL *easy;
    struct curl_slist *headers;
    void (*on_body)(void *user_data, struct bytes bytes);
    void *user_data;
    struct probe_answer answer;
    char curl_error[CURL_ERROR_SIZE];
};

int probe_create(struct probe **out, const struct mem *mem, int stop_fd) {
    *out = NULL;
    struct probe *probe = mem_new(mem, sizeof(*probe));
    if (!probe) {
        return ERR_NOMEM;
    }
    probe->mem = mem;
    probe->stop_fd = stop_fd;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        mem_free(mem, probe);
        return ERR_NOMEM;
    }
    probe->multi = curl_multi_init();
    if (!probe->multi) {
        probe_destroy(probe);
        return ERR_NOMEM;
    }
    *out = probe;
    return 0;
}

void probe_trust(struct probe *probe, const char *authorities) {
    probe->authorities = authorities;
}

void probe_destroy(struct probe *probe) {
    if (probe) {
        curl_multi_cleanup(probe->multi);
        curl_global_cleanup();
        mem_free(probe->mem, probe);
    }
}

static int version_of(CURL *easy) {
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return 10;
    case CURL_HTTP_VERSION_1_1:
        return 11;
    case CURL_HTTP_VERSION_NONE:
        return 0;
    default:
        return version >= 30 ? 30 : 20;
    }
}

// The fields of the last head only: those of 100 Continue and of a proxy's CONNECT are not the
// answer's.
static size_t on_header(char *at, size_t one, size_t len, void *user_data) {
    struct inquiry *inquiry = user_data;
    struct probe_answer *answer = &inquiry->answer;
    struct bytes line = bytes_make(at, len);
    long status = 0;
    while (line.len && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r')) {
        line.len--;
    }
    if (bytes_starts_with(line, "HTTP/")) {
        buf_clear(&answer->head);
    } else if (line.len) {
        // What does not fit is not needed to judge the rest.
        (void)(buf_append(&answer->head, line.at, line.len) ||
               buf_append_text(&answer->head, "\n"));
    } else {
        curl_easy_getinfo(inquiry->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200 && !answer->head_at) {
            answer->status = status;
            answer->version = version_of(inquiry->easy);
            answer->head_at = clock_mono_ms();
        }
    }
    return len;
}

static size_t on_write(char *at, size_t one, size_t len, void *user_data) {
    struct inquiry *inquiry = user_data;
    if (inquiry->on_body) {
        inquiry->on_body(inquiry->user_data, bytes_make(at, len));
    }
    return len;
}

static void set_method(CURL *easy, const struct probe_request *request) {
    if (strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        // A NULL body would make libcurl read one from standard input.
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len ? request->body.at : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static int set_headers(struct inquiry *inquiry, const char *const *headers) {
    for (size_t i = 0; headers && headers[i]; i++) {
        struct curl_slist *more = curl_slist_append(inquiry->headers, headers[i]);
        if (!more) {
            return ERR_NOMEM;
        }
        inquiry->headers = more;
    }
    curl_easy_setopt(inquiry->easy, CURLOPT_HTTPHEADER, inquiry->headers);
    return 0;
}

static int prepare(struct inquiry *inquiry, const struct probe_request *request) {
    CURL *easy = inquiry->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "freshet/" FRESHET_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, inquiry->curl_error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, inquiry);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, inquiry);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, inquiry);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (inquiry->probe->authorities) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, inquiry->probe->authorities);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (request->decode) {
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    }
    set_method(easy, request);
    int rc = set_headers(inquiry, request->headers);
    return rc || curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ? ERR_NOMEM : 0;
}

int inquiry_begin(struct inquiry **out, struct probe *probe, const struct probe_request *request) {
    *out = NULL;
    struct inquiry *inquiry = mem_new(probe->mem, sizeof(*inquiry));
    if (!inquiry) {
        return ERR_NOMEM;
    }
    inquiry->probe = probe;
    inquiry->on_body = request->on_body;
    inquiry->user_data = request->user_data;
    inquiry->answer.begun = clock_mono_ms();
    buf_init(&inquiry->answer.head, probe->mem, PROBE_HEAD_MAX);
    inquiry->easy = curl_easy_init();
    if (!inquiry->easy || prepare(inquiry, request) != 0 ||
        curl_multi_add_handle(probe->multi, inquiry->easy) != CURLM_OK) {
        inquiry_end(&inquiry);
        return ERR_NOMEM;
    }
    *out = inquiry;
    return 0;
}

void inquiry_end(struct inquiry **out) {
    struct inquiry *inquiry = *out;
    *out = NULL;
    if (!inquiry) {
        return;
    }
    if (inquiry->easy) {
        curl_multi_remove_handle(inquiry->probe->multi, inquiry->easy);
        curl_easy_cleanup(inquiry->easy);
    }
    curl_slist_free_all(inquiry->headers);
    buf_finish(&inquiry->answer.head);
    mem_free(inquiry->probe->mem, inquiry);
}

const struct probe_answer *inquiry_answer(const struct inquiry *inquiry) {
    return &inquiry->answer;
}

// libcurl asks for the peer of a connection that is gone already, and then its own failure is all
// that it tells.
static bool says_nothing(const char *error) {
    return !*error || bytes_starts_with(bytes_of(error), "getpeername()");
}

static void note_end(struct inquiry *inquiry, CURLcode code) {
    struct probe_answer *answer = &inquiry->answer;
    answer->ended = true;
    answer->ended_at = clock_mono_ms();
    answer->broken = code != CURLE_OK;
    answer->untrusted = code == CURLE_PEER_FAILED_VERIFICATION;
    if (answer->broken) {
        snprintf(answer->reason, sizeof(answer->reason), "%s",
                 says_nothing(inquiry->curl_error) ? curl_easy_strerror(code)
                                                   : inquiry->curl_error);
    }
}

static bool take_ends(struct probe *probe) {
    bool any = false;
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(probe->multi, &left))) {
        char *owner = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner) == CURLE_OK) {
            note_end((struct inquiry *)(void *)owner, message->data.result);
            any = true;
        }
    }
    return any;
}

bool probe_wait(struct probe *probe, int64_t until) {
    struct curl_waitfd stop = {.fd = probe->stop_fd, .events = CURL_WAIT_POLLIN};
    bool stoppable = probe->stop_fd >= 0;
    int running;
    curl_multi_perform(probe->multi, &running);
    if (take_ends(probe)) {
        return true;
    }
    int64_t left = until - clock_mono_ms();
    left = left < 0 ? 0 : left > 1000 ? 1000 : left;
    curl_multi_poll(probe->multi, &stop, stoppable, (int)left, NULL);
    curl_multi_perform(probe->multi, &running);
    take_ends(probe);
    return !(stoppable && stop.revents);
}

struct bytes probe_field(struct bytes head, const char *name) {
    struct bytes wanted = bytes_of(name);
    while (head.len) {
        const char *end = memchr(head.at, '\n', head.len);
        size_t len = end ? (size_t)(end - head.at) : head.len;
        const char *colon = memchr(head.at, ':', len);
        size_t name_len = colon ? (size_t)(colon - head.at) : len;
        if (colon && bytes_equal_nocase(bytes_make(head.at, name_len), wanted)) {
            return bytes_trim(bytes_make(colon + 1, len - name_len - 1));
        }
        len += end != NULL;
        head = bytes_make(head.at + len, head.len - len);
    }
    return bytes_make("", 0);
}
