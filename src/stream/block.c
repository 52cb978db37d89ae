// Lines into fields, fields into events: the table of section 9.2.6 of the HTML standard. A name is
// compared as bytes, so only values that are kept are ever decoded.
#include "stream/block.h"

#include "stream/utf8.h"

enum name { NAME_UNKNOWN, NAME_DATA, NAME_EVENT, NAME_ID, NAME_RETRY };

static const struct freshet_text nothing = {.at = "", .len = 0};

static void field_init(struct field *field, const struct freshet_parser_settings *settings,
                       size_t max) {
    *field = (struct field){.text = nothing};
    freshet_space_init(&field->own, &settings->allocator, max);
}

static inline void field_clear(struct field *field) {
    field->text = nothing;
    field->own.len = 0;
    field->present = false;
}

// Adds to what the field owns: the value, well-formed.
static int field_append(struct field *field, struct freshet_text value, size_t valid) {
    int rc = valid == value.len ? space_append(&field->own, value.at, value.len)
                                : freshet_utf8_append(&field->own, value, valid);
    if (rc == 0 && field->own.len) {
        field->text = (struct freshet_text){field->own.at, field->own.len};
    }
    return rc;
}

static int field_keep(struct field *field) {
    if (field->text.len == 0) {
        field->text = nothing;
        return 0;
    }
    return field->text.at == field->own.at ? 0 : field_append(field, field->text, field->text.len);
}

// Replaces the value, without a copy where the bytes can stand as they are.
static int field_borrow(struct field *field, struct freshet_text value) {
    field_clear(field);
    field->present = true;
    size_t valid = freshet_utf8_check(value);
    if (valid < value.len) {
        return field_append(field, value, valid);
    }
    if (value.len > field->own.max) {
        return FRESHET_ERR_TOO_LARGE;
    }
    field->text = value;
    return 0;
}

static inline bool named(struct freshet_text line, const char *name, size_t len) {
    return line.len >= len && memcmp(line.at, name, len) == 0 &&
           (line.len == len || line.at[len] == ':');
}

// The line is not empty.
static inline enum name name_of(struct freshet_text line, size_t *len) {
    switch (line.at[0]) {
    case 'd':
        *len = 4;
        return named(line, "data", 4) ? NAME_DATA : NAME_UNKNOWN;
    case 'e':
        *len = 5;
        return named(line, "event", 5) ? NAME_EVENT : NAME_UNKNOWN;
    case 'i':
        *len = 2;
        return named(line, "id", 2) ? NAME_ID : NAME_UNKNOWN;
    case 'r':
        *len = 5;
        return named(line, "retry", 5) ? NAME_RETRY : NAME_UNKNOWN;
    default:
        return NAME_UNKNOWN;
    }
}

// What stands after the colon and at most one space; empty when there is no colon.
static inline struct freshet_text value_after(struct freshet_text line, size_t name_len) {
    size_t skip = name_len + (line.len > name_len);
    skip += skip < line.len && line.at[skip] == ' ';
    return (struct freshet_text){line.at + skip, line.len - skip};
}

static int take_data(struct block *block, struct freshet_text value) {
    struct field *data = &block->data;
    if (!data->present) {
        return field_borrow(data, value);
    }
    int rc = field_keep(data);
    if (rc == 0) {
        rc = space_append(&data->own, "\n", 1);
    }
    return rc ? rc : field_append(data, value, freshet_utf8_check(value));
}

// Copied at once, unlike type and data: it is short, and it must stay right for the next connection
// even when the end of this feed finds no memory.
static int take_id(struct block *block, struct freshet_text value) {
    if (memchr(value.at, '\0', value.len)) {
        return 0;
    }
    field_clear(block->id);
    block->id->present = true;
    return field_append(block->id, value, freshet_utf8_check(value));
}

static int take_retry(struct block *block, struct freshet_text value) {
    const struct freshet_parser_settings *settings = block->settings;
    int64_t retry = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned digit = (unsigned char)value.at[i] - (unsigned)'0';
        if (digit > 9) {
            return 0;
        }
        retry = retry > (INT64_MAX - 9) / 10 ? INT64_MAX : retry * 10 + digit;
    }
    if (value.len == 0) {
        return 0;
    }
    retry = retry < settings->retry_min ? settings->retry_min : retry;
    block->retry = retry > settings->retry_max ? settings->retry_max : retry;
    if (settings->on_retry) {
        settings->on_retry(settings->user, block->retry);
    }
    return 0;
}

static int dispatch(struct block *block) {
    unsigned flags = 0;
    if (block->id->present) {
        struct field *old = block->last_id;
        block->last_id = block->id;
        block->id = old;
        flags = FRESHET_EVENT_OWN_ID;
    }
    struct freshet_event event = {
        .id = block->last_id->text,
        .type = block->type.text,
        .data = block->data.text,
        .retry = block->retry,
        .flags = flags,
    };
    bool wanted = block->data.present && block->settings->on_event;
    // Clearing frees nothing, so the event still has its texts.
    freshet_block_discard(block);
    if (wanted && block->settings->on_event(block->settings->user, &event)) {
        return FRESHET_ERR_STOPPED;
    }
    return 0;
}

void freshet_block_init(struct block *block, const struct freshet_parser_settings *settings) {
    block->settings = settings;
    field_init(&block->ids[0], settings, settings->max_id);
    field_init(&block->ids[1], settings, settings->max_id);
    block->id = &block->ids[0];
    block->last_id = &block->ids[1];
    field_init(&block->type, settings, settings->max_type);
    field_init(&block->data, settings, settings->max_event);
    block->retry = -1;
}

void freshet_block_finish(struct block *block) {
    freshet_space_finish(&block->ids[0].own);
    freshet_space_finish(&block->ids[1].own);
    freshet_space_finish(&block->type.own);
    freshet_space_finish(&block->data.own);
}

int freshet_block_seed(struct block *block) {
    struct freshet_text id = block->settings->last_id;
    return id.len ? field_append(block->last_id, id, freshet_utf8_check(id)) : 0;
}

void freshet_block_discard(struct block *block) {
    field_clear(block->id);
    field_clear(&block->type);
    field_clear(&block->data);
    block->retry = -1;
}

int freshet_block_line(struct block *block, struct freshet_text line) {
    if (line.len == 0) {
        return dispatch(block);
    }
    size_t name_len = 0;
    enum name name = name_of(line, &name_len);
    if (name == NAME_UNKNOWN) {
        return 0;
    }
    if (line.len > block->settings->max_line) {
        return FRESHET_ERR_TOO_LARGE;
    }
    struct freshet_text value = value_after(line, name_len);
    switch (name) {
    case NAME_DATA:
        return take_data(block, value);
    case NAME_EVENT:
        return field_borrow(&block->type, value);
    case NAME_ID:
        return take_id(block, value);
    default:
        return take_retry(block, value);
    }
}

int freshet_block_keep(struct block *block) {
    int rc = field_keep(&block->type);
    return rc ? rc : field_keep(&block->data);
}

bool freshet_block_wants(struct freshet_text start) {
    static const struct freshet_text names[] = {{"data", 4}, {"event", 5}, {"id", 2}, {"retry", 5}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct freshet_text name = names[i];
        if (start.len <= name.len ? memcmp(start.at, name.at, start.len) == 0
                                  : named(start, name.at, name.len)) {
            return true;
        }
    }
    return false;
}
