// The fake connections and the hub that serves them.
#include "hub/fake.h"

#include <stdio.h>

#include "base/error.h"
#include "hub/change.h"

const struct hash_key fake_key = {.k0 = 17, .k1 = 4};

static struct fake_sub *fake_of(struct subscriber *s) {
    return container_of(s, struct fake_sub, s);
}

uint64_t fake_sum(uint64_t sum, struct bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        sum = (sum ^ (unsigned char)bytes.at[i]) * 0x100000001b3ULL;
    }
    return sum;
}

static void record(struct fake_sub *sub, struct bytes bytes) {
    sub->sum = fake_sum(sub->sum, bytes);
    sub->received += bytes.len;
    if (sub->gzip) {
        inflated_take(&sub->inflated, bytes, &sub->got);
    } else if (!sub->light) {
        assert_int_equal(buf_append(&sub->got, bytes.at, bytes.len), 0);
    }
}

static size_t take(struct fake_sub *sub, const struct bytes *pieces, int count) {
    size_t taken = 0;
    size_t most = sub->room < sub->per_send ? sub->room : sub->per_send;
    for (int i = 0; i < count; i++) {
        struct bytes piece = pieces[i];
        piece.len = piece.len < most - taken ? piece.len : most - taken;
        record(sub, piece);
        taken += piece.len;
    }
    sub->room -= sub->room == SIZE_MAX ? 0 : taken;
    return taken;
}

static ptrdiff_t on_send(struct subscriber *s, const struct bytes *pieces, int count) {
    struct fake_sub *sub = fake_of(s);
    assert_ptr_equal(s->feed->hub, &sub->fake->hub);
    assert_in_range(count, 1, 2);
    sub->sends++;
    sub->fake->sends++;
    if (sub->on_send) {
        sub->on_send(sub);
    }
    if (sub->vanish) {
        hub_leave(s);
        return -1;
    }
    return (ptrdiff_t)take(sub, pieces, count);
}

static void on_finished(struct subscriber *s) {
    assert_int_equal(s->state, SUBSCRIBER_OUT);
    fake_of(s)->finished = true;
}

static void on_unaffordable(struct subscriber *s) {
    fake_of(s)->unaffordable = true;
    hub_leave(s);
}

static void on_lags(struct subscriber *s) {
    fake_of(s)->lags = true;
    hub_leave(s);
}

static struct frame *on_aside(struct subscriber *subscriber) {
    struct fake_sub *sub = container_of(subscriber, struct fake_sub, s);
    const char *words = sub->asides[sub->aside];
    struct frame *frame = NULL;
    if (words) {
        sub->aside++;
        assert_int_equal(frame_create_raw(&frame, &sub->fake->frame_mem.mem, bytes_of(words)), 0);
    }
    return frame;
}

static void on_delivered(struct subscriber *s, uint32_t stamp) {
    fake_of(s)->told++;
    fake_of(s)->told_last = stamp;
}

static const struct hub_ops fake_ops = {.send = on_send,
                                        .finished = on_finished,
                                        .unaffordable = on_unaffordable,
                                        .aside = on_aside,
                                        .delivered = on_delivered,
                                        .lags = on_lags};

void fake_hub_init(struct fake_hub *fake) {
    *fake = (struct fake_hub){.remembers = true, .newest = 1000};
    test_mem_init(&fake->mem);
    test_mem_init(&fake->frame_mem);
    fake_past_init(&fake->past);
    fake->settings = (struct hub_settings){
        .mem = &fake->mem.mem,
        .key = &fake_key,
        .ops = &fake_ops,
        .past = &fake->past.past,
        .window_bytes = 1 << 20,
        .run_bytes = 16 * 1024,
        .idle_topics = 100,
        .pinned = &fake->pinned,
        .pinned_max = 1 << 20,
    };
}

void fake_hub_open(struct fake_hub *fake) {
    assert_int_equal(hub_init(&fake->hub, &fake->settings, fake->newest), 0);
}

void fake_hub_finish(struct fake_hub *fake) {
    assert_int_equal(fake->hub.subscribers, 0);
    assert_int_equal(atomic_load(&fake->pinned), 0);
    hub_finish(&fake->hub);
    fake_past_finish(&fake->past);
    test_mem_finish(&fake->mem);
    test_mem_finish(&fake->frame_mem);
}

struct topic_name fake_name(const char *text) {
    struct bytes bytes = bytes_of(text);
    return (struct topic_name){.text = bytes, .hash = hash_bytes(&fake_key, text, bytes.len)};
}

static size_t split(const char *topics, struct bytes *names, size_t most) {
    size_t count = 0;
    while (*topics) {
        size_t len = strcspn(topics, " ");
        assert_true(count < most);
        names[count++] = bytes_make(topics, len);
        topics += len + (topics[len] == ' ');
    }
    return count;
}

static bool take_mark(struct bytes *name) {
    bool marked = name->len && name->at[0] == '!';
    *name = bytes_make(name->at + marked, name->len - marked);
    return marked;
}

struct selection *fake_selection(const struct mem *mem, const char *topics) {
    struct bytes names[FRAME_TOPICS_MAX];
    struct selection *selection = NULL;
    bool privy[FRAME_TOPICS_MAX];
    size_t count = split(topics, names, FRAME_TOPICS_MAX);
    for (size_t i = 0; i < count; i++) {
        privy[i] = take_mark(&names[i]);
    }
    if (selection_create(&selection, mem, &fake_key, names, count)) {
        return NULL;
    }
    for (size_t i = 0; i < count * selection->count; i++) {
        uint32_t place = (uint32_t)(i / count);
        if (privy[i % count] && bytes_equal(selection->items[place].name.text, names[i % count])) {
            selection_set_privy(selection, place);
        }
    }
    return selection;
}

struct frame *fake_frame(struct fake_hub *fake, const char *topics, const char *data) {
    struct bytes texts[FRAME_TOPICS_MAX];
    struct topic_name names[FRAME_TOPICS_MAX];
    size_t count = split(topics, texts, FRAME_TOPICS_MAX);
    bool private = false;
    for (size_t i = 0; i < count; i++) {
        private |= take_mark(&texts[i]);
        names[i].text = texts[i];
        names[i].hash = hash_bytes(&fake_key, texts[i].at, texts[i].len);
    }
    struct freshet_event event = {.data = {.at = data, .len = strlen(data)}, .retry = -1};
    struct frame *frame;
    assert_int_equal(frame_create(&frame, &fake->frame_mem.mem, names, count, &event), 0);
    frame->private = private;
    return frame;
}

event_id fake_publish(struct fake_hub *fake, const char *topics, const char *data) {
    struct frame *frame = fake_frame(fake, topics, data);
    frame->stamp = fake->stamp;
    frame_seal(frame, ++fake->newest);
    if (fake->remembers) {
        fake_past_append(&fake->past, frame);
    }
    hub_take(&fake->hub, frame);
    frame_unref(frame);
    return fake->newest;
}

void fake_sub_init(struct fake_sub *sub, struct fake_hub *fake) {
    *sub = (struct fake_sub){.fake = fake, .room = SIZE_MAX, .per_send = SIZE_MAX};
    buf_init(&sub->got, &mem_libc, 0);
}

// A body without a header, whose first frame is a part of it.
static int begin_gzip(struct fake_sub *sub, enum encoding encoding, struct hub_start *start) {
    static const struct gzip_sum nothing;
    start->gzip = &nothing;
    return start->first ? pack_control(&sub->fake->hub.packs, encoding, &start->first) : 0;
}

int fake_join_at(struct fake_sub *sub, const char *topics, enum encoding encoding,
                 const struct hub_start *given) {
    struct hub_start begin = *given, *start = &begin;
    if (sub->gzip && begin_gzip(sub, encoding, start)) {
        return ERR_NOMEM;
    }
    struct selection *selection = fake_selection(&sub->fake->mem.mem, topics);
    if (!selection) {
        frame_unref(start->first);
        return ERR_NOMEM;
    }
    sub->encoding = encoding;
    sub->after = start->after;
    if (!sub->light) {
        selection_destroy(&sub->selection);
        sub->selection = fake_selection(&mem_libc, topics);
    }
    return hub_join(&sub->fake->hub, selection, encoding, &sub->s, start);
}

void fake_join_after(struct fake_sub *sub, const char *topics, event_id after) {
    struct hub_start start = {.after = after};
    assert_int_equal(fake_join_at(sub, topics, ENCODING_EVENT_STREAM, &start), 0);
}

void fake_join(struct fake_sub *sub, const char *topics) {
    fake_join_after(sub, topics, sub->fake->hub.heard);
}

static void end_phase(struct fake_sub *sub, event_id upto, const struct selection *now) {
    struct bytes names[FRAME_TOPICS_MAX];
    assert_true(sub->phase_count < FAKE_PHASES_MAX && now->count <= FRAME_TOPICS_MAX);
    for (uint32_t i = 0; i < now->count; i++) {
        names[i] = now->items[i].name.text;
    }
    sub->phases[sub->phase_count++] = (struct fake_phase){upto, sub->selection};
    assert_int_equal(selection_create(&sub->selection, &mem_libc, &fake_key, names, now->count), 0);
}

static int change(struct fake_sub *sub, const struct selection *drop, const struct selection *add) {
    struct selection *next, *added;
    const struct selection *now = sub->s.feed->selection;
    event_id upto = hub_position(&sub->s);
    if (!drop || !add || change_plan(now, drop, add, &fake_key, &next, &added)) {
        return -1;
    }
    selection_destroy(&added);
    end_phase(sub, upto, next);
    int rc = hub_change(&sub->s, next);
    if (rc) {
        selection_destroy(&sub->selection);
        sub->selection = sub->phases[--sub->phase_count].selection;
    }
    return rc;
}

int fake_change(struct fake_sub *sub, const char *drop, const char *add) {
    const struct mem *mem = &sub->fake->mem.mem;
    struct selection *drops = fake_selection(mem, drop), *adds = fake_selection(mem, add);
    int rc = change(sub, drops, adds);
    selection_destroy(&drops);
    selection_destroy(&adds);
    return rc;
}

void fake_sub_finish(struct fake_sub *sub) {
    hub_leave(&sub->s);
    while (sub->phase_count) {
        selection_destroy(&sub->phases[--sub->phase_count].selection);
    }
    selection_destroy(&sub->selection);
    inflated_finish(&sub->inflated);
    buf_finish(&sub->got);
}

void fake_drain(struct fake_sub *sub, size_t room) {
    sub->room = room;
    hub_writable(&sub->s);
}

void fake_flush(struct fake_hub *fake) {
    for (int turns = 0; hub_flush(&fake->hub, 1000) || hub_retry(&fake->hub); turns++) {
        assert_true(turns < 1000000);
    }
}

void fake_assert_got(struct fake_sub *sub, const char *text) {
    assert_int_equal(buf_append(&sub->got, "", 1), 0);
    assert_string_equal(sub->got.at, text);
    sub->got.len--;
}
