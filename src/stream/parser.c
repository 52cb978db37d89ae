// The parser: cuts the bytes into lines wherever they were cut before. A line that lies whole in
// what is fed goes to the block as it is; only one that the end of a feed cuts in two is copied,
// and only if it can matter.
#include <freshet/parser.h>

#include <stdlib.h>

#include "stream/block.h"
#include "stream/lines.h"

enum { MIN_LINE = 16, BOM_LEN = 3 };

static const char bom[] = "\xEF\xBB\xBF";

struct freshet_parser {
    struct freshet_parser_settings settings;
    struct block block;
    struct space line; // the start of a line whose end has not come yet
    bool skipping;     // in the midst of a line that does not matter
    bool swallow_lf;   // the last byte was a CR: an LF now belongs to it
    unsigned bom;      // how much of a byte order mark the stream began with; BOM_LEN when decided
    int error;         // what every feed() answers from now on, when not 0
};

static void *libc_resize(void *ctx, void *old, size_t size) {
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

void freshet_parser_settings_default(struct freshet_parser_settings *settings) {
    *settings = (struct freshet_parser_settings){
        .max_line = (size_t)16 << 20,
        .max_event = (size_t)16 << 20,
        .max_id = (size_t)64 << 10,
        .max_type = (size_t)64 << 10,
        .retry_min = 0,
        .retry_max = INT64_C(365) * 24 * 3600 * 1000,
    };
}

static bool sensible(const struct freshet_parser_settings *settings) {
    struct freshet_text id = settings->last_id;
    bool broken_id = id.len && (memchr(id.at, '\r', id.len) || memchr(id.at, '\n', id.len) ||
                                memchr(id.at, '\0', id.len));
    return settings->max_line >= MIN_LINE && settings->retry_min >= 0 &&
           settings->retry_min <= settings->retry_max && !broken_id;
}

int freshet_parser_open(struct freshet_parser **out,
                        const struct freshet_parser_settings *settings) {
    *out = NULL;
    if (!sensible(settings)) {
        return FRESHET_ERR_INVALID;
    }
    struct freshet_allocator allocator = settings->allocator;
    if (!allocator.resize) {
        allocator.resize = libc_resize;
    }
    struct freshet_parser *parser = allocator.resize(allocator.ctx, NULL, sizeof *parser);
    if (!parser) {
        return FRESHET_ERR_NOMEM;
    }
    *parser = (struct freshet_parser){.settings = *settings};
    parser->settings.allocator = allocator;
    freshet_block_init(&parser->block, &parser->settings);
    freshet_space_init(&parser->line, &parser->settings.allocator, settings->max_line);
    int rc = freshet_block_seed(&parser->block);
    if (rc) {
        freshet_parser_close(&parser);
        return rc;
    }
    // The caller's, and copied by now.
    parser->settings.last_id = (struct freshet_text){0};
    *out = parser;
    return 0;
}

void freshet_parser_close(struct freshet_parser **parser) {
    struct freshet_parser *old = *parser;
    if (!old) {
        return;
    }
    *parser = NULL;
    struct freshet_allocator allocator = old->settings.allocator;
    freshet_block_finish(&old->block);
    freshet_space_finish(&old->line);
    allocator.resize(allocator.ctx, old, 0);
}

// Adds to the line whose end has not come yet. The name decides whether it is kept, so it is
// completed first.
static int keep_line(struct freshet_parser *parser, const char *at, size_t len) {
    struct space *line = &parser->line;
    if (parser->skipping || len == 0) {
        return 0;
    }
    if (line->len <= BLOCK_NAME_MAX) {
        size_t head = BLOCK_NAME_MAX + 1 - line->len;
        head = head < len ? head : len;
        int rc = space_append(line, at, head);
        if (rc) {
            return rc;
        }
        if (!freshet_block_wants((struct freshet_text){line->at, line->len})) {
            parser->skipping = true;
            line->len = 0;
            return 0;
        }
        at += head;
        len -= head;
    }
    return space_append(line, at, len);
}

// The rest of a line that an earlier feed began.
static int end_line(struct freshet_parser *parser, struct freshet_text rest) {
    int rc = keep_line(parser, rest.at, rest.len);
    struct freshet_text line = {parser->line.at, parser->line.len};
    // The block may borrow the line: it stays as it is until the end of this feed.
    parser->line.len = 0;
    if (rc == 0 && !parser->skipping) {
        rc = freshet_block_line(&parser->block, line);
    }
    parser->skipping = false;
    return rc;
}

static const char *skip_bom(struct freshet_parser *parser, const char *at, const char *end) {
    while (parser->bom < BOM_LEN && at < end) {
        if (*at != bom[parser->bom]) {
            // No field has a name that begins like a byte order mark.
            parser->skipping = parser->bom > 0;
            parser->bom = BOM_LEN;
            break;
        }
        parser->bom++;
        at++;
    }
    return at;
}

static int parse(struct freshet_parser *parser, const char *at, const char *end) {
    at = skip_bom(parser, at, end);
    if (parser->swallow_lf && at < end) {
        at += *at == '\n';
        parser->swallow_lf = false;
    }
    struct lines lines;
    struct freshet_text line;
    lines_init(&lines, at, end);
    int rc = 0;
    if ((parser->line.len || parser->skipping) && lines_next(&lines, &line)) {
        rc = end_line(parser, line);
    }
    while (rc == 0 && lines_next(&lines, &line)) {
        rc = freshet_block_line(&parser->block, line);
    }
    if (rc) {
        return rc;
    }
    if (lines.at == end && lines.at > at) {
        parser->swallow_lf = end[-1] == '\r';
    }
    rc = freshet_block_keep(&parser->block);
    return rc ? rc : keep_line(parser, lines.at, (size_t)(end - lines.at));
}

int freshet_parser_feed(struct freshet_parser *parser, const void *bytes, size_t len) {
    if (parser->error || len == 0) {
        return parser->error;
    }
    const char *at = bytes;
    int rc = parse(parser, at, at + len);
    if (rc) {
        freshet_block_discard(&parser->block);
        parser->error = rc;
    }
    return rc;
}

void freshet_parser_reset(struct freshet_parser *parser) {
    freshet_block_discard(&parser->block);
    parser->line.len = 0;
    parser->skipping = parser->swallow_lf = false;
    parser->bom = 0;
    parser->error = 0;
}

struct freshet_text freshet_parser_last_id(const struct freshet_parser *parser) {
    return parser->block.last_id->text;
}
