// The desk without a backend: nobody listens, or somebody who never answers.
#include "support.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "server/auth_desk.h"

// A port that refuses, or one where connections come in and nobody takes them.
static int open_port(char url[64], bool listens) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (listens) {
        assert_int_equal(listen(fd, 16), 0);
    }
    snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

struct somebody {
    struct auth_question question;
    pthread_mutex_t lock;
    pthread_cond_t told;
    int answers;
    enum verdict_kind kind;
};

static void on_answered(struct auth_question *question, const struct verdict *verdict) {
    struct somebody *who = container_of(question, struct somebody, question);
    pthread_mutex_lock(&who->lock);
    who->answers++;
    who->kind = verdict->kind;
    pthread_cond_signal(&who->told);
    pthread_mutex_unlock(&who->lock);
}

static void somebody_init(struct somebody *who, const char *body) {
    *who = (struct somebody){.question.answered = on_answered};
    pthread_mutex_init(&who->lock, NULL);
    pthread_cond_init(&who->told, NULL);
    auth_text_init(&who->question.text);
    assert_int_equal(buf_append_text(&who->question.text.body, body), 0);
    assert_int_equal(buf_append(&who->question.text.headers, "Cookie: a=1", 12), 0);
    assert_int_equal(grants_add(&who->question.text.names, bytes_of("a"), RIGHT_SUBSCRIBE), 0);
}

static void wait_for(struct somebody *who) {
    pthread_mutex_lock(&who->lock);
    while (!who->answers) {
        pthread_cond_wait(&who->told, &who->lock);
    }
    pthread_mutex_unlock(&who->lock);
    assert_int_equal(who->answers, 1);
}

static void somebody_finish(struct somebody *who) {
    auth_text_finish(&who->question.text);
    pthread_cond_destroy(&who->told);
    pthread_mutex_destroy(&who->lock);
}

static struct auth_desk *open_desk(const char *url, int64_t timeout_ms, size_t under_way) {
    struct auth_desk *desk;
    struct auth_desk_settings settings = {
        .url = url, .timeout_ms = timeout_ms, .under_way = under_way, .waiting = 3, .kept = 10};
    assert_int_equal(auth_desk_open(&desk, &settings), 0);
    return desk;
}

static void a_backend_that_is_down_says_nothing(void **state) {
    char url[64];
    int fd = open_port(url, false);
    struct auth_desk *desk = open_desk(url, 10000, 1);
    struct somebody who;
    struct auth_desk_counters counters;
    somebody_init(&who, "{}");
    assert_int_equal(auth_desk_ask(desk, &who.question), 0);
    wait_for(&who);
    assert_int_equal(who.kind, VERDICT_UNKNOWN);
    assert_false(auth_desk_leave(desk, &who.question));
    auth_desk_count(desk, &counters);
    assert_int_equal(counters.asked, 1);
    assert_int_equal(counters.failed, 1);
    assert_int_equal(counters.waiting, 0);
    auth_desk_close(&desk);
    assert_null(desk);
    somebody_finish(&who);
    close(fd);
}

static void who_stands_in_line_too_long_gets_no_answer(void **state) {
    char url[64];
    int fd = open_port(url, true);
    struct auth_desk *desk = open_desk(url, 50, 1);
    struct somebody first, second;
    struct auth_desk_counters counters;
    somebody_init(&first, "{\"a\":1}");
    somebody_init(&second, "{\"a\":2}");
    assert_int_equal(auth_desk_ask(desk, &first.question), 0);
    assert_int_equal(auth_desk_ask(desk, &second.question), 0);
    wait_for(&first);
    wait_for(&second);
    assert_int_equal(first.kind, VERDICT_UNKNOWN);
    assert_int_equal(second.kind, VERDICT_UNKNOWN);
    auth_desk_count(desk, &counters);
    assert_int_equal(counters.failed, 2);
    auth_desk_close(&desk);
    somebody_finish(&first);
    somebody_finish(&second);
    close(fd);
}

static void the_same_question_is_asked_once_and_too_many_are_turned_away(void **state) {
    char url[64];
    int fd = open_port(url, true);
    struct auth_desk *desk = open_desk(url, 60000, 8);
    struct somebody some[5];
    struct auth_desk_counters counters;
    for (size_t i = 0; i < 5; i++) {
        somebody_init(&some[i], i == 2 ? "{\"a\":1}" : "{}");
        assert_int_equal(auth_desk_ask(desk, &some[i].question), i < 3 ? 0 : ERR_TOO_LARGE);
    }
    auth_desk_count(desk, &counters);
    assert_int_equal(counters.shared, 1);
    assert_int_equal(counters.waiting, 3);
    assert_int_equal(counters.turned_away, 2);
    assert_true(auth_desk_leave(desk, &some[0].question));
    assert_int_equal(auth_desk_ask(desk, &some[3].question), 0);
    auth_desk_count(desk, &counters);
    assert_int_equal(counters.shared, 2);
    assert_true(auth_desk_leave(desk, &some[1].question));
    assert_true(auth_desk_leave(desk, &some[2].question));
    assert_true(auth_desk_leave(desk, &some[3].question));
    auth_desk_count(desk, &counters);
    assert_int_equal(counters.waiting, 0);
    auth_desk_close(&desk); // with both at the backend
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(some[i].answers, 0);
        somebody_finish(&some[i]);
    }
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backend_that_is_down_says_nothing),
        cmocka_unit_test(who_stands_in_line_too_long_gets_no_answer),
        cmocka_unit_test(the_same_question_is_asked_once_and_too_many_are_turned_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
