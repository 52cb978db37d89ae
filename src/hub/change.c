// Moving a subscriber from one feed to another. It is safe at any time but within a turn of its own,
// because a feed is only a way to find what comes behind a cursor, and the cursor stays.
#include "hub/change.h"

#include "base/error.h"
#include "hub/deliver.h"

static struct bytes name_at(const struct selection *selection, uint32_t place) {
    return selection->items[place].name.text;
}

static const struct selector *find_name(const struct selection *selection, struct bytes name) {
    uint32_t low = 0, high = selection->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(name_at(selection, middle), name);
        if (order == 0) {
            return &selection->items[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static bool has_name(const struct selection *selection, struct bytes name) {
    return find_name(selection, name) != NULL;
}

static bool is_privy(const struct selection *selection, struct bytes name) {
    const struct selector *item = find_name(selection, name);
    return item && item->privy;
}

// An item is as privy as whoever asked for it, now or before.
static void set_privy(struct selection *made, const struct selection *now,
                      const struct selection *add) {
    for (uint32_t i = 0; i < made->count; i++) {
        if (is_privy(now, name_at(made, i)) || is_privy(add, name_at(made, i))) {
            selection_set_privy(made, i);
        }
    }
}

// Room for all names of both, so that none has to be counted first.
static struct bytes *room_for(const struct selection *a, const struct selection *b) {
    size_t room = (size_t)a->count + b->count;
    return mem_alloc(a->mem, (room ? room : 1) * sizeof(struct bytes));
}

static size_t put_kept(const struct selection *now, const struct selection *drop,
                       const struct selection *add, struct bytes *names) {
    size_t count = 0;
    for (uint32_t i = 0; i < now->count; i++) {
        struct bytes name = name_at(now, i);
        if (!has_name(drop, name) || has_name(add, name)) {
            names[count++] = name;
        }
    }
    return count;
}

static size_t put_new(const struct selection *now, const struct selection *add,
                      struct bytes *names) {
    size_t count = 0;
    for (uint32_t i = 0; i < add->count; i++) {
        if (!has_name(now, name_at(add, i))) {
            names[count++] = name_at(add, i);
        }
    }
    return count;
}

int change_plan(const struct selection *now, const struct selection *drop,
                const struct selection *add, const struct hash_key *key, struct selection **next,
                struct selection **added) {
    struct bytes *names = room_for(now, add);
    if (!names) {
        return ERR_NOMEM;
    }
    size_t fresh = put_new(now, add, names);
    size_t kept = put_kept(now, drop, add, names + fresh);
    int rc = selection_create_like(added, now->mem, key, names, fresh, now);
    if (rc == 0) {
        rc = selection_create_like(next, now->mem, key, names, fresh + kept, now);
        if (rc) {
            selection_destroy(added);
        }
    }
    mem_free(now->mem, names);
    if (rc == 0) {
        set_privy(*added, now, add);
        set_privy(*next, now, add);
    }
    return rc;
}

static bool has_all(const struct subscriber *s) {
    return s->id >= s->feed->newest && !hub_reads_past(s);
}

event_id hub_position(const struct subscriber *s) {
    event_id heard = s->feed->hub->heard;
    return has_all(s) && heard > s->id ? heard : s->id;
}

void hub_serve(struct subscriber *s) {
    if (s->state == SUBSCRIBER_LIVE && (s->part || !has_all(s))) {
        list_remove(&s->link);
        deliver(s->feed->hub, s);
    }
}

// Into the list that its state names, in its new feed. One that waits for its connection or for the
// past waits on.
static void place_again(struct hub *hub, struct subscriber *s) {
    if (s->state == SUBSCRIBER_STALLED) {
        list_push_back(&hub->stalled, &s->link);
    } else if (s->state == SUBSCRIBER_PUT_OFF) {
        list_push_back(&hub->put_off, &s->link);
    } else {
        deliver_place(hub, s);
    }
}

int hub_change(struct subscriber *s, struct selection *selection) {
    struct feed *old = s->feed;
    struct hub *hub = old->hub;
    struct form form = {.encoding = old->encoding, .compressed = old->compressed};
    struct feed *feed = feed_open(hub, selection, form);
    if (!feed) {
        return ERR_NOMEM;
    }
    if (has_all(s)) {
        s->id = hub_position(s); // events of others, which it never heard, are behind it
        s->flags &= (uint8_t)~SUBSCRIBER_FROM_START;
    }
    if (feed == old) {
        return 0;
    }
    s->told = s->begins ? s->told : 0; // what was told of was lost to the old selection
    s->lag = (struct lag){0};          // it was counted in the old feed
    list_remove(&s->link);
    feed->subscribers++;
    s->feed = feed;
    old->subscribers--;
    feed_close_if_idle(old);
    place_again(hub, s);
    return 0;
}
