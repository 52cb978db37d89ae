// Texts hold what a peer said (headers, reasons), so both forms escape.
#include "cli/doctor_findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/output.h"

static const char *const labels[] = {"OK", "SKIP", "WARN", "FAIL"};
static const char *const words[] = {"ok", "skip", "warn", "fail"};

void findings_init(struct findings *findings, const struct mem *mem) {
    *findings = (struct findings){.mem = mem};
}

void findings_finish(struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        mem_free(findings->mem, findings->items[i].text);
        mem_free(findings->mem, findings->items[i].advice);
    }
    findings->count = 0;
}

// What a peer said may be of any encoding; it is escaped here, once, for both forms.
static char *copy(struct findings *findings, const char *before, const char *text) {
    struct buf out;
    buf_init(&out, findings->mem, 0);
    if (buf_append_text(&out, before) != 0 || (*before && buf_append_text(&out, " ") != 0) ||
        output_escape(&out, bytes_of(text), false) != 0 || buf_append(&out, "", 1) != 0) {
        buf_finish(&out);
        findings->incomplete = true;
        return NULL;
    }
    return out.at;
}

void findings_add(struct findings *findings, enum finding_level level, const char *check,
                  const char *format, ...) {
    char text[FINDING_TEXT_MAX];
    va_list args;
    if (findings->count == FINDINGS_MAX) {
        findings->incomplete = true;
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct finding *finding = &findings->items[findings->count];
    *finding = (struct finding){.level = level, .check = check};
    finding->text = copy(findings, "", text);
    finding->advice = copy(findings, "", "");
    if (finding->text && finding->advice) {
        findings->count++;
    } else {
        mem_free(findings->mem, finding->text);
        mem_free(findings->mem, finding->advice);
    }
}

void findings_advise(struct findings *findings, const char *format, ...) {
    char text[FINDING_TEXT_MAX];
    va_list args;
    if (findings->count == 0) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct finding *finding = &findings->items[findings->count - 1];
    char *advice = copy(findings, finding->advice, text);
    if (advice) {
        mem_free(findings->mem, finding->advice);
        finding->advice = advice;
    }
}

enum finding_level findings_worst(const struct findings *findings) {
    enum finding_level worst = FINDING_OK;
    for (size_t i = 0; i < findings->count; i++) {
        enum finding_level level = findings->items[i].level;
        worst = level > worst && level != FINDING_SKIP ? level : worst;
    }
    return worst;
}

const struct finding *findings_get(const struct findings *findings, const char *check) {
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->items[i].check, check) == 0) {
            return &findings->items[i];
        }
    }
    return NULL;
}

int findings_text(const struct findings *findings, size_t from, struct buf *out) {
    int rc = 0;
    for (size_t i = from; i < findings->count && rc == 0; i++) {
        const struct finding *finding = &findings->items[i];
        rc = buf_printf(out, "%-4s  %-16s  %s\n", labels[finding->level], finding->check,
                        finding->text);
        if (rc == 0 && finding->advice[0]) {
            rc = buf_printf(out, "      %-16s  %s\n", "", finding->advice);
        }
    }
    return rc;
}

static int json_member(struct buf *out, const char *name, const char *text) {
    int rc = buf_printf(out, ",\"%s\":", name);
    return rc ? rc : json_append_string(out, bytes_of(text));
}

int findings_json(const struct findings *findings, struct buf *out) {
    int rc = buf_printf(out, "{\"result\":\"%s\",\"findings\":[", words[findings_worst(findings)]);
    for (size_t i = 0; i < findings->count && rc == 0; i++) {
        const struct finding *finding = &findings->items[i];
        rc = buf_printf(out, "%s{\"level\":\"%s\"", i ? "," : "", words[finding->level]);
        rc = rc ? rc : json_member(out, "check", finding->check);
        rc = rc ? rc : json_member(out, "text", finding->text);
        rc = rc ? rc : json_member(out, "advice", finding->advice);
        rc = rc ? rc : buf_append_text(out, "}");
    }
    return rc ? rc : buf_append_text(out, "]}\n");
}
