// Connections on a real loop, over a pair of sockets: what is called, when, and what each call says
// of a peer that is slow, done or gone.
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/list.h"
#include "net/conn.h"

static uv_loop_t uv;
static struct conn_loop net;

// A connection that notes what it is told.
static struct record {
    struct conn conn;
    int readable, writable, expired, closed;
    size_t read_size; // what one call reads
    ptrdiff_t last;   // what the last read said
    char got[64];
    size_t got_len;
    bool close_on_read, close_on_expiry;
} a;
static int peer; // the other end

static struct record *record_of(struct conn *conn) {
    return container_of(conn, struct record, conn);
}

static void on_readable(struct conn *conn) {
    struct record *r = record_of(conn);
    r->readable++;
    if (r->close_on_read) {
        conn_close(conn);
        return;
    }
    r->last = conn_recv(conn, r->got + r->got_len, r->read_size);
    r->got_len += r->last > 0 ? (size_t)r->last : 0;
    if (r->last < 0) {
        conn_close(conn);
    }
}

static void on_writable(struct conn *conn) {
    record_of(conn)->writable++;
}

static void on_expired(struct conn *conn) {
    struct record *r = record_of(conn);
    r->expired++;
    if (r->close_on_expiry) {
        conn_close(conn);
    }
}

static void on_closed(struct conn *conn) {
    record_of(conn)->closed++;
}

static const struct conn_ops ops = {
    .readable = on_readable,
    .writable = on_writable,
    .expired = on_expired,
    .closed = on_closed,
};

static void turn(void) {
    uv_run(&uv, UV_RUN_NOWAIT);
}

static void open_on(int fd) {
    static const struct peer nobody;
    a = (struct record){.read_size = 16};
    assert_int_equal(conn_open(&a.conn, &net, fd, &nobody, &ops), 0);
}

static int setup(void **state) {
    int ends[2];
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(conn_loop_init(&net, &uv), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    open_on(ends[0]);
    peer = ends[1];
    return 0;
}

static int teardown(void **state) {
    conn_close(&a.conn);
    conn_loop_close(&net);
    conn_loop_close(&net);       // harmless
    uv_run(&uv, UV_RUN_DEFAULT); // ends only if nothing is left on the loop
    assert_int_equal(a.closed, 1);
    assert_int_equal(net.open, 0);
    assert_int_equal(uv_loop_close(&uv), 0);
    close(peer);
    return 0;
}

static void say(const char *text) {
    assert_int_equal(send(peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

// A loop whose clock stands still, so that deadlines need no waiting.
static void tick_at(int64_t now) {
    uv.time = (uint64_t)now;
    conn_loop_tick(&net);
    assert_int_equal(net.now, now);
}

static void test_reads(void **state) {
    assert_int_equal(net.open, 1);
    turn();
    assert_int_equal(a.readable, 0);
    say("hello");
    turn();
    assert_int_equal(a.last, 5);
    assert_memory_equal(a.got, "hello", 5);
    turn();
    assert_int_equal(a.readable, 1);
    assert_int_equal(conn_recv(&a.conn, a.got, 1), 0); // nothing, but not the end
    assert_int_equal(a.writable, 0);                   // it did not ask
}

static void test_what_is_left_is_offered_again(void **state) {
    a.read_size = 2;
    say("abcde");
    for (int i = 0; i < 5; i++) {
        turn();
    }
    assert_int_equal(a.readable, 3);
    assert_memory_equal(a.got, "abcde", 5);
}

static void test_end_of_input(void **state) {
    say("bye");
    shutdown(peer, SHUT_WR);
    turn();
    assert_int_equal(a.last, 3);
    turn();
    assert_int_equal(a.last, ERR_GONE);
    turn();
    assert_int_equal(a.closed, 1);
}

static void test_waits_for_what_it_is_told(void **state) {
    say("x");
    conn_wait_for(&a.conn, 0);
    turn();
    assert_int_equal(a.readable, 0);
    conn_wait_for(&a.conn, CONN_WRITE);
    turn();
    assert_int_equal(a.readable, 0);
    assert_int_equal(a.writable, 1);
    conn_wait_for(&a.conn, CONN_READ | CONN_WRITE);
    turn();
    assert_int_equal(a.readable, 1);
    assert_int_equal(a.writable, 2);
    conn_wait_for(&a.conn, CONN_READ);
    turn();
    assert_int_equal(a.writable, 2);
}

static void test_close_in_readable_is_the_last_call(void **state) {
    conn_wait_for(&a.conn, CONN_READ | CONN_WRITE);
    conn_set_deadline(&a.conn, net.now + 500);
    a.close_on_read = true;
    say("x");
    turn();
    conn_set_deadline(&a.conn, net.now); // too late to be meant
    conn_wait_for(&a.conn, CONN_READ);
    conn_close(&a.conn);
    turn();
    tick_at(net.now + 1000);
    assert_int_equal(a.readable, 1);
    assert_int_equal(a.writable, 0);
    assert_int_equal(a.expired, 0);
    assert_int_equal(a.closed, 1);
    char byte;
    assert_int_equal(read(peer, &byte, 1), -1); // reset, because "x" was never read
}

static void test_sends_several_pieces_as_one(void **state) {
    struct bytes pieces[] = {bytes_of("one "), bytes_of(""), bytes_of("two "), bytes_of("three")};
    char got[32];
    assert_int_equal(conn_send(&a.conn, pieces, 4), 13);
    assert_int_equal(read(peer, got, sizeof(got)), 13);
    assert_memory_equal(got, "one two three", 13);
    assert_int_equal(conn_send(&a.conn, &pieces[3], 1), 5);
    assert_int_equal(read(peer, got, sizeof(got)), 5);
}

// Reads what is there: the number of bytes, each checked against its place in the whole.
static size_t drain_peer(size_t at) {
    char piece[4096];
    ssize_t n;
    while ((n = read(peer, piece, sizeof(piece))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            assert_int_equal((unsigned char)piece[i], at++ % 251);
        }
    }
    return at;
}

static void test_partial_sends(void **state) {
    enum { SIZE = 3 << 20 };
    char *all = malloc(SIZE);
    size_t sent = 0, read_so_far = 0;
    int full = 0;
    assert_non_null(all);
    for (size_t i = 0; i < SIZE; i++) {
        all[i] = (char)(i % 251);
    }
    while (sent < SIZE) {
        size_t left = SIZE - sent;
        struct bytes pieces[] = {{all + sent, left / 2}, {all + sent + left / 2, left - left / 2}};
        ptrdiff_t n = conn_send(&a.conn, pieces, 2);
        assert_true(n >= 0);
        sent += (size_t)n;
        if ((size_t)n < left) {
            full++;
            conn_wait_for(&a.conn, CONN_READ | CONN_WRITE);
            int before = a.writable;
            turn();
            assert_int_equal(a.writable, before); // nobody has read
            read_so_far = drain_peer(read_so_far);
            turn();
            assert_int_equal(a.writable, before + 1);
        }
    }
    assert_true(full > 0);
    assert_int_equal(drain_peer(read_so_far), SIZE);
    free(all);
}

static void test_send_to_a_peer_that_is_gone(void **state) {
    struct bytes piece = bytes_of("anyone?");
    struct bytes two[] = {piece, piece};
    close(peer);
    peer = -1;
    assert_int_equal(conn_send(&a.conn, &piece, 1), ERR_GONE); // and no SIGPIPE
    assert_int_equal(conn_send(&a.conn, two, 2), ERR_GONE);
}

static void test_shutdown_lets_the_peer_read_the_end(void **state) {
    struct bytes piece = bytes_of("last");
    char got[8];
    conn_send(&a.conn, &piece, 1);
    conn_shutdown(&a.conn);
    assert_int_equal(read(peer, got, sizeof(got)), 4);
    assert_int_equal(read(peer, got, sizeof(got)), 0);
    say("still heard");
    turn();
    assert_int_equal(a.got_len, 11);
}

static void test_deadline(void **state) {
    int64_t start = net.now;
    conn_set_deadline(&a.conn, start + 1000);
    tick_at(start + 900);
    assert_int_equal(a.expired, 0);
    tick_at(start + 1100);
    assert_int_equal(a.expired, 1);
    tick_at(start + 5000); // it is no longer set
    assert_int_equal(a.expired, 1);
}

static void test_deadline_replaced_and_cleared(void **state) {
    int64_t start = net.now;
    conn_set_deadline(&a.conn, start + 1000);
    conn_set_deadline(&a.conn, start + 3000);
    tick_at(start + 2000);
    assert_int_equal(a.expired, 0);
    conn_set_deadline(&a.conn, start + 2500);
    tick_at(start + 2600);
    assert_int_equal(a.expired, 1);
    conn_set_deadline(&a.conn, start + 3000);
    conn_clear_deadline(&a.conn);
    tick_at(start + 9000);
    assert_int_equal(a.expired, 1);
}

static void test_close_when_expired(void **state) {
    a.close_on_expiry = true;
    conn_set_deadline(&a.conn, net.now + 1);
    tick_at(net.now + 300);
    assert_int_equal(a.expired, 1);
    assert_int_equal(a.closed, 0); // that comes from the loop
    assert_int_equal(net.open, 1);
    turn();
    assert_int_equal(a.closed, 1);
    assert_int_equal(net.open, 0);
}

static void test_a_descriptor_that_cannot_be_polled(void **state) {
    struct record b = {0};
    static const struct peer nobody;
    assert_int_equal(conn_open(&b.conn, &net, 9999, &nobody, &ops), ERR_SYSTEM);
    assert_int_equal(net.open, 1);
}

// ---- many connections, and what they do to each other ----

enum { CROWD = 300 };

// One of many, freed as soon as it may be, so that whoever uses it too long is found out.
struct member {
    struct conn conn;
    int place;
};

static struct member *crowd[CROWD];
static int crowd_peers[CROWD];
static int heard, gone;
static void (*when_heard)(struct member *member);

static void on_member_readable(struct conn *conn) {
    heard++;
    when_heard(container_of(conn, struct member, conn));
}

static void on_member_closed(struct conn *conn) {
    struct member *member = container_of(conn, struct member, conn);
    gone++;
    crowd[member->place] = NULL;
    free(member);
}

static const struct conn_ops member_ops = {
    .readable = on_member_readable,
    .closed = on_member_closed,
};

static void add_member(int place, int fd) {
    static const struct peer nobody;
    crowd[place] = malloc(sizeof(*crowd[place]));
    assert_non_null(crowd[place]);
    crowd[place]->place = place;
    assert_int_equal(conn_open(&crowd[place]->conn, &net, fd, &nobody, &member_ops), 0);
}

static void gather_crowd(int size, void (*then)(struct member *member)) {
    heard = gone = 0;
    when_heard = then;
    for (int i = 0; i < size; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        crowd_peers[i] = ends[1];
        add_member(i, ends[0]);
        assert_int_equal(write(ends[1], "x", 1), 1);
    }
}

static void close_peers(int size) {
    for (int i = 0; i < size; i++) {
        close(crowd_peers[i]);
    }
}

static void close_itself(struct member *member) {
    conn_close(&member->conn);
}

static void test_many_close_themselves(void **state) {
    gather_crowd(CROWD, close_itself);
    for (int i = 0; i < 4; i++) {
        turn();
    }
    assert_int_equal(heard, CROWD);
    assert_int_equal(gone, CROWD);
    assert_int_equal(net.open, 1);
    close_peers(CROWD);
}

static void close_everyone(struct member *member) {
    for (int i = 0; i < CROWD; i++) {
        conn_close(&crowd[i]->conn);
    }
    assert_int_equal(gone, 0); // they must last for the rest of this turn
}

// The others have input too, and the loop may know it already.
static void test_one_closes_all_the_others(void **state) {
    gather_crowd(CROWD, close_everyone);
    for (int i = 0; i < 4; i++) {
        turn();
    }
    assert_int_equal(heard, 1);
    assert_int_equal(gone, CROWD);
    close_peers(CROWD);
}

static int reused;

// Closes the other one and opens a third, which gets its descriptor.
static void replace_the_other(struct member *member) {
    int ends[2];
    if (member->place == 2) {
        return;
    }
    struct member *other = crowd[!member->place];
    int fd = other->conn.fd;
    conn_close(&other->conn);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    reused = ends[0] == fd;
    crowd_peers[2] = ends[1];
    add_member(2, ends[0]);
    conn_close(&member->conn);
}

static void test_a_descriptor_used_again_in_the_same_turn(void **state) {
    gather_crowd(2, replace_the_other);
    turn();
    turn();
    assert_true(reused);
    assert_int_equal(heard, 1); // neither the one that closed, nor in its name the new one
    assert_int_equal(gone, 2);
    assert_int_equal(write(crowd_peers[2], "x", 1), 1);
    turn();
    assert_int_equal(heard, 2);
    conn_close(&crowd[2]->conn);
    turn();
    assert_int_equal(gone, 3);
    close_peers(3);
}

static void test_the_loop_closes_behind_them(void **state) {
    gather_crowd(3, close_itself);
    for (int i = 0; i < 3; i++) {
        conn_close(&crowd[i]->conn);
        conn_clear_deadline(&crowd[i]->conn); // too late to mean anything
    }
    assert_int_equal(gone, 0);
    conn_close(&a.conn);
    conn_loop_close(&net);
    assert_int_equal(gone, 0);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(gone, 3);
    assert_int_equal(heard, 0);
    close_peers(3);
}

// In two steps: nothing is told in between, and what was read is not told again.
static void test_attached_and_started_later(void **state) {
    static const struct peer nobody;
    struct record b = {.read_size = 16};
    char bytes[8];
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(write(ends[1], "early", 5), 5);
    conn_attach(&b.conn, &net, ends[0], &nobody, &ops);
    turn();
    assert_int_equal(b.readable, 0);
    assert_int_equal(conn_recv(&b.conn, bytes, sizeof(bytes)), 5);
    assert_int_equal(conn_start(&b.conn), 0);
    turn();
    assert_int_equal(b.readable, 0);
    assert_int_equal(write(ends[1], "late", 4), 4);
    turn();
    assert_int_equal(b.got_len, 4);
    conn_close(&b.conn);
    turn();
    assert_int_equal(b.closed, 1);
    close(ends[1]);
}

// The socket lives on under another's hands: watched anew, with what is in it.
static void test_released(void **state) {
    static const struct peer nobody;
    struct record b = {.read_size = 16};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(conn_open(&b.conn, &net, ends[0], &nobody, &ops), 0);
    conn_set_deadline(&b.conn, net.now + 100);
    assert_int_equal(write(ends[1], "unread", 6), 6);
    assert_int_equal(conn_release(&b.conn), ends[0]);
    struct record c = {.read_size = 16};
    assert_int_equal(conn_open(&c.conn, &net, ends[0], &nobody, &ops), 0);
    conn_close(&b.conn); // harmless
    turn();
    turn();
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.readable, 0);
    assert_int_equal(c.got_len, 6);
    tick_at(net.now + 1000);
    assert_int_equal(b.expired, 0);
    conn_close(&c.conn);
    turn();
    assert_int_equal(c.closed, 1);
    close(ends[1]);
}

// A pair of TCP sockets, for what Unix sockets do not do: a reset behind unread bytes.
static void connect_tcp(void) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listening, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listening, 1), 0);
    getsockname(listening, (struct sockaddr *)&at, &len);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, len), 0);
    int accepted = accept(listening, NULL, NULL);
    assert_true(accepted >= 0);
    close(listening);
    fcntl(accepted, F_SETFL, O_NONBLOCK);
    conn_close(&a.conn);
    turn();
    close(peer);
    open_on(accepted);
    peer = client;
}

static void reset_peer(void) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(peer);
    peer = -1;
}

static void test_reset(void **state) {
    connect_tcp();
    reset_peer();
    turn();
    assert_int_equal(a.last, ERR_GONE);
    turn();
    assert_int_equal(a.closed, 1);
}

// Bytes that came before the reset may be more than one read takes; the error behind them must
// still be found.
static void test_reset_behind_unread_bytes(void **state) {
    connect_tcp();
    a.read_size = 2;
    say("abcde");
    reset_peer();
    for (int i = 0; i < 8; i++) {
        turn();
    }
    assert_int_equal(a.last, ERR_GONE);
    assert_int_equal(a.closed, 1);
}

// Who only wants to write hears of a reset as well.
static void test_reset_while_waiting_to_write(void **state) {
    struct bytes piece = bytes_of("x");
    connect_tcp();
    a.read_size = 0; // a reader that is not interested any more, and finds no error
    conn_wait_for(&a.conn, CONN_WRITE);
    reset_peer();
    for (int i = 0; i < 4 && !a.writable; i++) {
        turn();
    }
    assert_true(a.writable > 0 || a.closed);
    if (!a.closed) {
        assert_int_equal(conn_send(&a.conn, &piece, 1), ERR_GONE);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_reads),
        TEST(test_what_is_left_is_offered_again),
        TEST(test_end_of_input),
        TEST(test_waits_for_what_it_is_told),
        TEST(test_close_in_readable_is_the_last_call),
        TEST(test_sends_several_pieces_as_one),
        TEST(test_partial_sends),
        TEST(test_send_to_a_peer_that_is_gone),
        TEST(test_shutdown_lets_the_peer_read_the_end),
        TEST(test_deadline),
        TEST(test_deadline_replaced_and_cleared),
        TEST(test_close_when_expired),
        TEST(test_a_descriptor_that_cannot_be_polled),
        TEST(test_many_close_themselves),
        TEST(test_one_closes_all_the_others),
        TEST(test_a_descriptor_used_again_in_the_same_turn),
        TEST(test_the_loop_closes_behind_them),
        TEST(test_attached_and_started_later),
        TEST(test_released),
        TEST(test_reset),
        TEST(test_reset_behind_unread_bytes),
        TEST(test_reset_while_waiting_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
