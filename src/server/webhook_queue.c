// A list of objects that are JSON already.
#include "server/webhook_queue.h"

#include <inttypes.h>

#include "base/error.h"

struct message {
    struct list link;
    struct buf text;
};

void webhook_queue_init(struct webhook_queue *queue, const struct mem *mem, size_t most,
                        uint64_t era) {
    *queue = (struct webhook_queue){.mem = mem, .most = most, .era = era};
    list_init(&queue->messages);
}

static void message_destroy(struct webhook_queue *queue, struct message *message) {
    buf_finish(&message->text);
    mem_free(queue->mem, message);
}

void webhook_queue_pop(struct webhook_queue *queue, size_t count) {
    struct list *link;
    while (count-- && (link = list_pop_front(&queue->messages))) {
        message_destroy(queue, container_of(link, struct message, link));
        queue->count--;
    }
}

void webhook_queue_finish(struct webhook_queue *queue) {
    webhook_queue_pop(queue, SIZE_MAX);
}

static struct message *message_create(struct webhook_queue *queue, struct bytes members,
                                      int64_t time_ms) {
    struct message *message = mem_new(queue->mem, sizeof(*message));
    if (!message) {
        return NULL;
    }
    buf_init(&message->text, queue->mem, 0);
    int rc =
        buf_printf(&message->text, "{\"id\":\"%016" PRIx64 "-%" PRIu64 "\",\"time\":%" PRId64 ",",
                   queue->era, queue->number, time_ms);
    rc = rc ? rc : buf_append(&message->text, members.at, members.len);
    rc = rc ? rc : buf_append_text(&message->text, "}");
    if (rc) {
        message_destroy(queue, message);
        return NULL;
    }
    return message;
}

bool webhook_queue_push(struct webhook_queue *queue, struct bytes members, int64_t time_ms) {
    queue->number++;
    struct message *message =
        queue->count < queue->most ? message_create(queue, members, time_ms) : NULL;
    if (!message) {
        queue->dropped++;
        return false;
    }
    list_push_back(&queue->messages, &message->link);
    queue->count++;
    return true;
}

int webhook_queue_compose(const struct webhook_queue *queue, struct buf *out) {
    int count = 0;
    int rc = buf_append_text(out, "{\"events\":[");
    for (struct list *at = queue->messages.next; rc == 0 && at != &queue->messages; at = at->next) {
        struct bytes text = buf_bytes(&container_of(at, struct message, link)->text);
        if (count == WEBHOOK_BATCH || (count && out->len + text.len > WEBHOOK_BATCH_BYTES)) {
            break;
        }
        rc = count ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : buf_append(out, text.at, text.len);
        count++;
    }
    rc = rc ? rc : buf_append_text(out, "]}");
    return rc ? ERR_NOMEM : count;
}
