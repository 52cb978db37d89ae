// Help as a man page in the man(7) macros. Backslashes and leading dots and quotes of the texts are
// escaped, and hyphens are written so that they can be copied.
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/help_private.h"

void help_roff(struct help *help, const char *text) {
    bool line_start = true;
    for (; *text && help->rc == 0; text++) {
        if (line_start && (*text == '.' || *text == '\'')) {
            help_text(help, "\\&");
        }
        line_start = *text == '\n';
        if (*text == '\\') {
            help_text(help, "\\e");
        } else if (*text == '-') {
            help_text(help, "\\-");
        } else if (*text == '\n') {
            help_text(help, "\n.PP\n");
        } else {
            help->rc = buf_append(help->out, text, 1);
        }
    }
    help_text(help, "\n");
}

static void write_options(struct help *help, const struct option *table) {
    const char *group = "";
    for (; table->name; table++) {
        char spelling[128], sentence[1024];
        if (strcmp(table->group, group) != 0) {
            group = table->group;
            help_text(help, ".SS ");
            help_roff(help, group);
        }
        help_spelling(table, spelling, sizeof(spelling));
        help_sentence(table, sentence, sizeof(sentence));
        help_text(help, ".TP\n\\fB");
        help_roff(help, spelling);
        help->out->len -= help->rc == 0;
        help_text(help, "\\fR\n");
        help_roff(help, sentence);
    }
}

void help_roff_lines(struct help *help, const char *line) {
    help_text(help, ".nf\n");
    while (*line) {
        char text[256];
        size_t len = strcspn(line, "\n");
        snprintf(text, sizeof(text), "%.*s", (int)len, line);
        help_roff(help, text);
        line += len + (line[len] == '\n');
    }
    help_text(help, ".fi\n");
}

static void write_examples(struct help *help, const struct command *const *commands) {
    help_text(help, ".SH EXAMPLES\n");
    for (size_t i = 0; commands[i]; i++) {
        help_roff_lines(help, commands[i]->examples);
    }
}

static void write_name(struct help *help, const struct command *const *commands, bool one) {
    help_text(help, ".TH FRESHET");
    for (const char *c = one ? commands[0]->name : ""; *c; c++) {
        char letter = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        help_text(help, c == commands[0]->name || letter == ' ' ? "\\-" : "");
        if (letter != ' ') {
            help_printf(help, "%c", letter);
        }
    }
    help_printf(help, " 1 \"\" \"freshet %s\"\n.SH NAME\n", FRESHET_VERSION);
    help_printf(help, "freshet%s%s \\- %s\n", one ? "\\-" : "", one ? commands[0]->name : "",
                one ? commands[0]->summary : help_tagline);
}

static void write_usage(struct help *help, const struct command *command) {
    char usage[256];
    snprintf(usage, sizeof(usage), "freshet %s", command->name);
    help_text(help, ".SH SYNOPSIS\n.B ");
    help_roff(help, usage);
    snprintf(usage, sizeof(usage), "[OPTION]...%s%s", *command->usage ? " " : "", command->usage);
    help_roff(help, usage);
}

static void write_sections(struct help *help, const struct option_section *section) {
    char text[1024];
    for (; section && section->name; section++) {
        help_section(section, text, sizeof(text));
        help_text(help, ".PP\n");
        help_roff(help, text);
        help_roff_lines(help, section->example);
    }
}

// "FRESHET HISTORY EXPORT"
static void write_heading(struct help *help, const struct command *command) {
    help_text(help, ".SH FRESHET ");
    for (const char *c = command->name; *c; c++) {
        help_printf(help, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    help_text(help, "\n");
}

static void write_actions(struct help *help, const struct command *command) {
    help_text(help, ".SH SYNOPSIS\n");
    for (size_t i = 0; command->actions[i]; i++) {
        help_text(help, i ? ".br\n.B " : ".B ");
        help_printf(help, "freshet %s\n[OPTION]...", command->actions[i]->name);
        help_roff(help, *command->actions[i]->usage ? " " : "");
        help->out->len -= help->rc == 0;
        help_roff(help, command->actions[i]->usage);
    }
    help_text(help, ".SH DESCRIPTION\n");
    help_roff(help, command->about);
    for (size_t i = 0; command->actions[i]; i++) {
        const struct command *action = command->actions[i];
        write_heading(help, action);
        help_roff(help, action->about);
        write_options(help, action->options);
    }
}

static void write_sources(struct help *help, const struct option *table,
                          const struct option_section *sections) {
    char sources[1024];
    help_sources(table, sources, sizeof(sources));
    if (*sources) {
        help_text(help, ".SH ENVIRONMENT\n");
        help_roff(help, sources);
    }
    if (help_has_file(table)) {
        help_text(help, ".SH CONFIG FILE\n");
        help_roff(help, help_file_format);
        write_sections(help, sections);
    }
}

static void write_command(struct help *help, const struct command *command) {
    if (command->actions) {
        write_actions(help, command);
        return;
    }
    write_usage(help, command);
    help_text(help, ".SH DESCRIPTION\n");
    help_roff(help, command->about);
    help_text(help, ".SH OPTIONS\n");
    write_options(help, command->options);
    write_sources(help, command->options, command->sections);
}

static void write_program(struct help *help, const struct command *const *commands) {
    help_text(help, ".SH SYNOPSIS\n.B freshet\nCOMMAND [OPTION]... [ARGUMENT]...\n"
                    ".SH DESCRIPTION\nA backend hands freshet an event with one HTTP request; it "
                    "delivers it to everyone who listens, in order, over Server\\-Sent Events.\n"
                    ".SH COMMANDS\n");
    for (size_t i = 0; commands[i]; i++) {
        const struct command *command = commands[i];
        help_printf(help, ".TP\n\\fBfreshet %s\\fR\n%c%s.\nSee \\fBfreshet\\-%s\\fR(1).\n",
                    command->name, command->summary[0] - 'a' + 'A', command->summary + 1,
                    command->name);
    }
    help_text(help, ".TP\n\\fBfreshet help\\fR [COMMAND]\nPrints the help of a command.\n"
                    ".TP\n\\fBfreshet version\\fR\nPrints the versions of freshet and its "
                    "libraries.\n");
}

static void write_see_also(struct help *help, const struct command *const *commands, bool one) {
    bool file = one && !commands[0]->actions && help_has_file(commands[0]->options);
    help_printf(help, ".SH SEE ALSO\n%s%s", one ? "\\fBfreshet\\fR(1)" : "",
                file  ? ",\n\\fBfreshet.conf\\fR(5)\n"
                : one ? "\n"
                      : "");
    for (size_t i = 0; !one && commands[i]; i++) {
        help_printf(help, "\\fBfreshet\\-%s\\fR(1),\n", commands[i]->name);
    }
    help_text(help, one ? "" : "\\fBfreshet.conf\\fR(5)\n");
}

int help_man(struct buf *out, const struct command *const *commands) {
    struct help help = {.out = out};
    bool one = commands[0] && !commands[1];
    write_name(&help, commands, one);
    if (one) {
        write_command(&help, commands[0]);
    } else {
        write_program(&help, commands);
    }
    help_text(&help, ".SH EXIT STATUS\n0 when it worked, 1 when it did not, 2 when it was not "
                     "asked properly.\n");
    write_examples(&help, commands);
    write_see_also(&help, commands, one);
    return help.rc;
}
