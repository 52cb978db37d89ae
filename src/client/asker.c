// libcurl's multi interface with one easy handle for each question. Nothing of a question outlives it,
// because it holds what a visitor's browser sent as proof of who they are.
#include "client/asker.h"

#include <stdio.h>

#include <curl/curl.h>

#include "base/error.h"
#include "base/list.h"

enum { HEADER_KEPT = 256 };

struct asker {
    const struct mem *mem;
    CURLM *multi;
    struct list questions;
};

struct question {
    struct list link;
    struct asker *asker;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    char cache_control[HEADER_KEPT];
    bool too_large;
    char curl_error[CURL_ERROR_SIZE];
    asker_done *done;
    void *ctx;
};

int asker_create(struct asker **out, const struct mem *mem) {
    *out = NULL;
    struct asker *asker = mem_new(mem, sizeof(*asker));
    if (!asker) {
        return ERR_NOMEM;
    }
    asker->mem = mem;
    list_init(&asker->questions);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        mem_free(mem, asker);
        return ERR_NOMEM;
    }
    asker->multi = curl_multi_init();
    if (!asker->multi) {
        asker_destroy(asker);
        return ERR_NOMEM;
    }
    *out = asker;
    return 0;
}

static void question_destroy(struct question *question) {
    if (question->easy) {
        curl_multi_remove_handle(question->asker->multi, question->easy);
        curl_easy_cleanup(question->easy);
    }
    curl_slist_free_all(question->headers);
    buf_finish(&question->body);
    list_remove(&question->link);
    mem_free(question->asker->mem, question);
}

void asker_destroy(struct asker *asker) {
    if (asker) {
        while (!list_empty(&asker->questions)) {
            question_destroy(container_of(asker->questions.next, struct question, link));
        }
        curl_multi_cleanup(asker->multi);
        curl_global_cleanup();
        mem_free(asker->mem, asker);
    }
}

// Said twice, both count: they are one list.
static void keep_cache_control(struct question *question, struct bytes value) {
    char *kept = question->cache_control;
    size_t len = strlen(kept);
    if (len + value.len + 2 < HEADER_KEPT) {
        snprintf(kept + len, HEADER_KEPT - len, "%s%.*s", len ? "," : "", (int)value.len, value.at);
    } else {
        snprintf(kept, HEADER_KEPT, "no-store");
    }
}

static size_t on_header(char *at, size_t one, size_t len, void *user_data) {
    static const char name[] = "cache-control:";
    struct question *question = user_data;
    struct bytes line = bytes_make(at, len);
    while (line.len && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r')) {
        line.len--;
    }
    if (bytes_starts_with(line, "HTTP/")) {
        question->cache_control[0] = '\0';
    } else if (line.len >= sizeof(name) - 1 && strncasecmp(line.at, name, sizeof(name) - 1) == 0) {
        size_t skip = sizeof(name) - 1;
        keep_cache_control(question, bytes_trim(bytes_make(line.at + skip, line.len - skip)));
    }
    return len;
}

static size_t on_write(char *at, size_t one, size_t len, void *user_data) {
    struct question *question = user_data;
    int rc = buf_append(&question->body, at, len);
    question->too_large |= rc == ERR_TOO_LARGE;
    return rc ? len == 0 : len; // anything but len ends it
}

static int add_header(struct question *question, const char *line) {
    struct curl_slist *more = curl_slist_append(question->headers, line);
    question->headers = more ? more : question->headers;
    return more ? 0 : ERR_NOMEM;
}

static int set_headers(struct question *question, struct bytes lines) {
    // To wait for 100 Continue would only cost time.
    int rc = add_header(question, "Expect:");
    rc = rc ? rc : add_header(question, "Content-Type: application/json");
    rc = rc ? rc : add_header(question, "Accept: application/json");
    while (rc == 0 && lines.len) {
        size_t len = strlen(lines.at) + 1;
        rc = add_header(question, lines.at);
        lines = bytes_make(lines.at + len, lines.len - len);
    }
    curl_easy_setopt(question->easy, CURLOPT_HTTPHEADER, question->headers);
    return rc;
}

static int prepare(struct question *question, const struct asker_request *request) {
    CURL *easy = question->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "freshet/" FRESHET_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, question->curl_error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, question);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, question);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, question);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.at) != CURLE_OK) {
        return ERR_NOMEM;
    }
    int rc = set_headers(question, request->headers);
    return rc || curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ? ERR_NOMEM : 0;
}

int asker_begin(struct asker *asker, const struct asker_request *request, asker_done *done,
                void *ctx) {
    struct question *question = mem_new(asker->mem, sizeof(*question));
    if (!question) {
        return ERR_NOMEM;
    }
    question->asker = asker;
    question->done = done;
    question->ctx = ctx;
    list_init(&question->link);
    buf_init(&question->body, asker->mem, request->max_answer);
    question->easy = curl_easy_init();
    if (!question->easy || prepare(question, request) ||
        curl_multi_add_handle(asker->multi, question->easy) != CURLM_OK) {
        question_destroy(question);
        return ERR_NOMEM;
    }
    list_push_back(&asker->questions, &question->link);
    return 0;
}

static const char *problem_of(const struct question *question, CURLcode code) {
    if (question->too_large) {
        return "its answer is too large";
    }
    if (code == CURLE_OK) {
        return NULL;
    }
    return question->curl_error[0] ? question->curl_error : curl_easy_strerror(code);
}

static void end(struct question *question, CURLcode code) {
    struct asker_answer answer = {.problem = problem_of(question, code),
                                  .cache_control = bytes_of(question->cache_control),
                                  .body = buf_bytes(&question->body)};
    curl_easy_getinfo(question->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    question->done(question->ctx, &answer);
    question_destroy(question);
}

static bool take_ends(struct asker *asker) {
    bool any = false;
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(asker->multi, &left))) {
        char *owner = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner) == CURLE_OK) {
            end((struct question *)(void *)owner, message->data.result);
            any = true;
        }
    }
    return any;
}

void asker_wait(struct asker *asker, int64_t ms) {
    int running;
    curl_multi_perform(asker->multi, &running);
    if (take_ends(asker)) {
        return;
    }
    ms = ms < 0 ? 0 : ms > 60000 ? 60000 : ms;
    curl_multi_poll(asker->multi, NULL, 0, (int)ms, NULL);
    curl_multi_perform(asker->multi, &running);
    take_ends(asker);
}

void asker_wake(struct asker *asker) {
    curl_multi_wakeup(asker->multi);
}
