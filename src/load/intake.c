// Layers of framing, from the outside in: the response, then WebSocket's frames or gzip, then events.
#include "load/intake.h"

#include "base/error.h"
#include "load/transport.h"

static bool is_websocket(enum load_transport transport) {
    return transport == LOAD_WEBSOCKET || transport == LOAD_WEBSOCKET_STREAM;
}

static bool is_stream_of_events(enum load_transport transport) {
    return transport == LOAD_EVENT_STREAM || transport == LOAD_WEBSOCKET_STREAM;
}

static void take_events(struct intake *intake, struct bytes piece, const struct intake_way *way) {
    if (is_stream_of_events(way->transport)) {
        scan_feed(&intake->scan, piece, way->found, way->ctx);
    } else {
        items_feed(&intake->items, piece, way->found, way->ctx);
    }
}

static int take_frames(struct intake *intake, const struct intake_way *way) {
    struct bytes payload;
    for (;;) {
        int step = frames_next(&intake->frames, &intake->body, &payload);
        switch (step) {
        case FRAMES_DATA:
            take_events(intake, payload, way);
            break;
        case FRAMES_MORE:
            return INTAKE_MORE;
        case FRAMES_PING:
            return INTAKE_PING;
        default:
            return step < 0 ? step : ERR_GONE;
        }
    }
}

static int take_packed(struct intake *intake, const struct intake_way *way) {
    struct bytes out;
    bool more = true;
    while (more) {
        more = gunzip_next(intake->gunzip, &intake->body, way->room, way->room_len, &out);
        take_events(intake, out, way);
        if (gunzip_failed(intake->gunzip)) {
            return ERR_INVALID;
        }
    }
    return INTAKE_MORE;
}

static int take_body(struct intake *intake, const struct intake_way *way) {
    if (is_websocket(way->transport)) {
        return take_frames(intake, way);
    }
    if (intake->gunzip) {
        return take_packed(intake, way);
    }
    take_events(intake, intake->body, way);
    intake->body.len = 0;
    return INTAKE_MORE;
}

static int take_head(struct intake *intake, const struct intake_way *way) {
    const struct incoming *incoming = &intake->incoming;
    if (incoming->status != transport_status(way->transport)) {
        return ERR_INVALID;
    }
    if (incoming->cursor_len) {
        intake->cursor_len = incoming->cursor_len;
        memcpy(intake->cursor, incoming->cursor, incoming->cursor_len);
    }
    if (incoming->gzip) {
        intake->gunzip = gunzip_create();
        return intake->gunzip ? INTAKE_BEGUN : ERR_NOMEM;
    }
    return INTAKE_BEGUN;
}

static int end_answer(struct intake *intake, const struct intake_way *way) {
    if (way->transport != LOAD_POLL || intake->incoming.close) {
        return ERR_GONE;
    }
    intake_restart(intake);
    return INTAKE_ANSWERED;
}

int intake_next(struct intake *intake, struct bytes *rest, const struct intake_way *way) {
    for (;;) {
        if (intake->body.len) {
            int step = take_body(intake, way);
            if (step != INTAKE_MORE) {
                return step;
            }
            continue;
        }
        switch (incoming_next(&intake->incoming, rest, &intake->body)) {
        case INCOMING_BODY:
            break;
        case INCOMING_HEAD:
            return take_head(intake, way);
        case INCOMING_DONE:
            return end_answer(intake, way);
        case INCOMING_MORE:
            return INTAKE_MORE;
        default:
            return ERR_INVALID;
        }
    }
}

struct bytes intake_cursor(const struct intake *intake, enum load_transport transport) {
    if (transport == LOAD_POLL) {
        return bytes_make(intake->cursor, intake->cursor_len);
    }
    return is_stream_of_events(transport) ? scan_id(&intake->scan) : items_id(&intake->items);
}

void intake_restart(struct intake *intake) {
    gunzip_destroy(intake->gunzip);
    intake->gunzip = NULL;
    intake->incoming = (struct incoming){0};
    intake->frames = (struct frames){0};
    intake->body = (struct bytes){0};
}
