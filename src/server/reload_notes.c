// A list, and its two readings.
#include "server/reload_notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

void reload_notes_init(struct reload_notes *notes) {
    *notes = (struct reload_notes){.count = 0};
}

static void free_note(struct reload_note *note) {
    free(note->setting);
    free(note->from);
    free(note->to);
}

void reload_notes_finish(struct reload_notes *notes) {
    while (notes->count) {
        free_note(&notes->notes[--notes->count]);
    }
    free(notes->notes);
    notes->notes = NULL;
}

static int add(struct reload_notes *notes, struct reload_note note, bool shown) {
    struct reload_note *more = realloc(notes->notes, (notes->count + 1) * sizeof(*more));
    notes->notes = more ? more : notes->notes;
    if (!more || !note.setting || (shown && (!note.from || !note.to))) {
        free_note(&note);
        return ERR_NOMEM;
    }
    more[notes->count++] = note;
    return 0;
}

int reload_notes_change(struct reload_notes *notes, const char *setting, const char *from,
                        const char *to) {
    bool shown = from && to;
    struct reload_note note = {.setting = strdup(setting),
                               .from = shown ? strdup(from) : NULL,
                               .to = shown ? strdup(to) : NULL};
    return add(notes, note, shown);
}

int reload_notes_restart(struct reload_notes *notes, const char *setting) {
    return add(notes, (struct reload_note){.setting = strdup(setting), .waits = true}, false);
}

static int append_member(struct buf *out, const char *name, const char *value) {
    int rc = buf_append_text(out, name);
    return rc ? rc : json_append_string(out, bytes_of(value));
}

static int append_change(struct buf *out, const struct reload_note *note) {
    int rc = append_member(out, "{\"setting\":", note->setting);
    if (note->from) {
        rc = rc ? rc : append_member(out, ",\"from\":", note->from);
        rc = rc ? rc : append_member(out, ",\"to\":", note->to);
    }
    return rc ? rc : buf_append_text(out, "}");
}

// Those that took effect, or those that wait.
static int append_list(const struct reload_notes *notes, bool waits, struct buf *out) {
    bool first = true;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < notes->count; i++) {
        const struct reload_note *note = &notes->notes[i];
        if (note->waits != waits) {
            continue;
        }
        rc = first ? 0 : buf_append_text(out, ",");
        first = false;
        rc = rc ? rc : waits ? append_member(out, "", note->setting) : append_change(out, note);
    }
    return rc;
}

int reload_notes_json(const struct reload_notes *notes, struct buf *out) {
    int rc = buf_append_text(out, "{\"changed\":[");
    rc = rc ? rc : append_list(notes, false, out);
    rc = rc ? rc : buf_append_text(out, "],\"restart\":[");
    rc = rc ? rc : append_list(notes, true, out);
    return rc ? rc : buf_append_text(out, "]}");
}

void reload_notes_log(const struct reload_notes *notes) {
    for (size_t i = 0; i < notes->count; i++) {
        const struct reload_note *note = &notes->notes[i];
        if (note->waits) {
            log_write(LOG_WARN, "reload: %s stays as it was; a restart changes it", note->setting);
        } else if (note->from) {
            log_write(LOG_INFO, "reload: %s is \"%s\", was \"%s\"", note->setting, note->to,
                      note->from);
        } else {
            log_write(LOG_INFO, "reload: %s is another", note->setting);
        }
    }
    if (notes->count == 0) {
        log_write(LOG_INFO, "reload: no setting has changed");
    }
}
