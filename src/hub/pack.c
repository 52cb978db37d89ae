// Packs are kept while a feed's listeners are served, one behind the other and in slices between
// which other feeds have their turn. What comes meanwhile goes into the next pack, not into another
// of the same beginning: deflating an event twice costs more than sending it in two.
#include "hub/pack.h"

#include "base/error.h"
#include "hub/feed.h"

enum { BYTES_A_SEND = 512 }; // deflated in the time of one send

void packs_init(struct packs *packs, const struct mem *mem) {
    *packs = (struct packs){.mem = mem};
    buf_init(&packs->buffer, mem, 0);
    buf_init(&packs->text, mem, 0);
}

static void drop(struct packs *packs, struct pack_entry *entry) {
    packs->held -= entry->frame != NULL;
    frame_unref(entry->frame);
    entry->frame = NULL;
    entry->feed = NULL;
}

// One event of a megabyte must not be paid for until the hub ends.
static void shrink(struct buf *buf) {
    buf_clear(buf);
    if (buf->cap > 4 * PACK_BYTES) {
        buf_finish(buf);
    }
}

void packs_forget(struct packs *packs) {
    for (int i = 0; i < PACKS; i++) {
        drop(packs, &packs->entries[i]);
    }
    shrink(&packs->buffer);
    shrink(&packs->text);
}

void packs_forget_feed(struct packs *packs, const struct feed *feed) {
    for (int i = 0; i < PACKS && packs->held; i++) {
        if (packs->entries[i].feed == feed) {
            drop(packs, &packs->entries[i]);
        }
    }
}

void packs_finish(struct packs *packs) {
    packs_forget(packs);
    for (int i = 0; i < ENCODING_COUNT; i++) {
        frame_unref(packs->heartbeats[i]);
    }
    gzip_deflater_destroy(&packs->deflater);
    buf_finish(&packs->buffer);
    buf_finish(&packs->text);
}

struct pack_facts pack_facts(const struct frame *pack) {
    struct pack_facts facts;
    memcpy(&facts, frame_tail(pack), sizeof(facts)); // the tail is not aligned
    return facts;
}

static event_id id_before(const struct pack_key *key) {
    return key->before ? key->before->id : 0;
}

static bool serves(const struct pack_entry *entry, const struct pack_key *key) {
    if (!entry->frame || entry->first != key->first || entry->before != id_before(key) ||
        entry->encoding != key->feed->encoding || entry->values != key->values) {
        return false;
    }
    bool same = entry->feed == key->feed || (key->lone && entry->frame->id == key->first);
    uint32_t events = same ? pack_facts(entry->frame).events : 0;
    return same && (entry->cut ? events == key->most : events <= key->most);
}

struct frame *pack_find(const struct packs *packs, const struct pack_key *key) {
    for (unsigned i = 0; i < PACKS; i++) {
        const struct pack_entry *entry = &packs->entries[(packs->newest - i) % PACKS];
        if (serves(entry, key)) {
            return entry->frame;
        }
    }
    return NULL;
}

static void keep(struct packs *packs, const struct pack_key *key, struct frame *frame,
                 uint32_t events) {
    struct pack_entry *entry = &packs->entries[++packs->newest % PACKS];
    drop(packs, entry);
    packs->held++;
    *entry = (struct pack_entry){.feed = key->feed,
                                 .encoding = key->feed->encoding,
                                 .first = key->first,
                                 .before = id_before(key),
                                 .values = key->values,
                                 .cut = events == key->most,
                                 .frame = frame};
}

// The bytes that the event before had: in `text`, unless they are its own.
static int text_before(struct packs *packs, const struct pack_key *key, struct bytes *before) {
    buf_clear(&packs->text);
    *before = bytes_make("", 0);
    if (!key->before) {
        return 0;
    }
    if (key->feed->encoding == ENCODING_EVENT_STREAM) {
        *before = frame_bytes(key->before);
        return 0;
    }
    int rc = encoding_append(key->feed->encoding, key->before, &packs->text);
    *before = buf_bytes(&packs->text);
    return rc;
}

// What is in the buffer, as a frame.
static int make_frame(const struct packs *packs, const struct pack_facts *facts, event_id last,
                      struct frame **out) {
    struct bytes head = {.at = (const char *)facts, .len = sizeof(*facts)};
    int rc = frame_create_headed(out, packs->mem, head, buf_bytes(&packs->buffer));
    if (rc == 0) {
        (*out)->id = last;
    }
    return rc;
}

static int need_deflater(struct packs *packs) {
    return packs->deflater ? 0 : gzip_deflater_create(&packs->deflater, packs->mem);
}

static int compress(struct packs *packs, const struct pack_key *key, struct bytes plain) {
    struct bytes before;
    if (plain.len > PACK_DEFLATE_MAX) {
        return gzip_append_stored(&packs->buffer, plain);
    }
    int rc = need_deflater(packs);
    rc = rc ? rc : text_before(packs, key, &before);
    packs->deflated += plain.len;
    return rc ? rc : gzip_deflate(packs->deflater, before, plain, &packs->buffer);
}

int pack_make(struct packs *packs, const struct pack_key *key, struct bytes plain, uint32_t events,
              event_id last, struct frame **out) {
    struct pack_facts facts = {.piece = gzip_piece_of(plain), .events = events};
    buf_clear(&packs->buffer);
    int rc = compress(packs, key, plain);
    rc = rc ? rc : make_frame(packs, &facts, last, out);
    if (rc == 0) {
        keep(packs, key, *out, events);
    }
    return rc;
}

// Only packs have anything in front of their bytes; the head of a response is a raw frame as well.
void pack_note(struct pack_body *body, const struct frame *pack) {
    if (pack->start) {
        struct pack_facts facts = pack_facts(pack);
        gzip_sum_add(&body->sum, &facts.piece);
        body->last = pack->id;
    }
}

static int pack_stored(struct packs *packs, enum encoding encoding, const struct frame *frame,
                       struct frame **out) {
    buf_clear(&packs->text);
    buf_clear(&packs->buffer);
    int rc = encoding_append(encoding, frame, &packs->text);
    struct bytes plain = buf_bytes(&packs->text);
    struct pack_facts facts = {.piece = gzip_piece_of(plain)};
    rc = rc ? rc : gzip_append_stored(&packs->buffer, plain);
    return rc ? rc : make_frame(packs, &facts, 0, out);
}

int pack_control(struct packs *packs, enum encoding encoding, struct frame **frame) {
    struct frame *plain = *frame;
    int rc = pack_stored(packs, encoding, plain, frame);
    frame_unref(plain);
    return rc;
}

struct frame *pack_heartbeat(struct packs *packs, enum encoding encoding, struct frame *plain) {
    struct frame **heartbeat = &packs->heartbeats[encoding];
    if (!*heartbeat && pack_stored(packs, encoding, plain, heartbeat)) {
        return NULL;
    }
    return *heartbeat;
}

size_t pack_write_end(struct pack_body *body, struct bytes last, char *out) {
    struct gzip_piece piece = gzip_piece_of(last);
    gzip_sum_add(&body->sum, &piece);
    body->ended = true;
    return gzip_write_end(out, last, body->sum);
}

int pack_end(const struct packs *packs, struct pack_body *body, struct frame **out) {
    char end[GZIP_END_SIZE];
    size_t len = pack_write_end(body, bytes_make("", 0), end);
    return frame_create_raw(out, packs->mem, bytes_make(end, len));
}

int pack_answer(struct packs *packs, struct bytes plain, struct buf *out) {
    char end[GZIP_END_SIZE];
    struct gzip_sum sum = {0};
    struct gzip_piece piece = gzip_piece_of(plain);
    int rc = need_deflater(packs);
    rc = rc ? rc : gzip_append_header(out);
    rc = rc ? rc : gzip_deflate(packs->deflater, bytes_make("", 0), plain, out);
    gzip_sum_add(&sum, &piece);
    return rc ? rc : buf_append(out, end, gzip_write_end(end, bytes_make("", 0), sum));
}

unsigned pack_effort(struct packs *packs) {
    unsigned sends = (unsigned)(packs->deflated / BYTES_A_SEND);
    packs->deflated = 0;
    return sends;
}
