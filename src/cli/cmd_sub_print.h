// How `freshet sub` shows events. Pure but for nothing: it appends to a buffer.
//
// plain    the data and a line feed, nothing else: what a pipe wants
// screen   the same for people: id and type (unless it is "message") before the data, dim where the
//          terminal has colours; on a line of their own when the data has several lines; escaped
// json     {"id":"…","event":"…","data":"…"} and a line feed; the same three keys always
#ifndef CLI_CMD_SUB_PRINT_H
#define CLI_CMD_SUB_PRINT_H

#include <freshet/event.h>

#include "base/buf.h"

enum sub_form { SUB_PLAIN, SUB_SCREEN, SUB_JSON };

struct sub_style {
    enum sub_form form;
    bool terminal; // escape what could steer it
    bool colours;
};

// "message" for an event without a type.
struct bytes sub_event_type(const struct freshet_event *event);

// 0, ERR_NOMEM or ERR_TOO_LARGE.
int sub_print(struct buf *out, const struct sub_style *style, const struct freshet_event *event);

#endif
