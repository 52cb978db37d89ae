// Help for a terminal. Headings stand at the margin, options two columns in, and what they do in a
// column of its own, or on the next line where the terminal is narrow.
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/help_private.h"

enum { WIDE_ENOUGH = 70, OPTION_COLUMN = 30, NARROW_INDENT = 6 };

static void write_examples(struct help *help, const char *examples) {
    help_text(help, "\nExamples\n");
    while (*examples) {
        size_t len = strcspn(examples, "\n");
        help_printf(help, "  %.*s\n", (int)len, examples);
        examples += len + (examples[len] == '\n');
    }
}

static void write_option(struct help *help, const char *spelling, const char *sentence) {
    bool wide = help->width >= WIDE_ENOUGH;
    size_t indent = wide ? OPTION_COLUMN : NARROW_INDENT;
    // Without a letter the name still stands under the other names.
    help->column = 0;
    help_wrap(help, strncmp(spelling, "--", 2) == 0 ? 6 : 2, spelling);
    if (wide && help->rc == 0) {
        size_t written = strlen(spelling) + (strncmp(spelling, "--", 2) == 0 ? 6 : 2);
        if (written + 2 <= OPTION_COLUMN) {
            help->out->len--; // the line goes on
            help->column = written;
        }
    }
    help_wrap(help, indent, sentence);
}

static void write_options(struct help *help, const struct option *table) {
    const char *group = "";
    for (const struct option *option = table; option->name; option++) {
        char spelling[128], sentence[1024];
        if (strcmp(option->group, group) != 0) {
            group = option->group;
            help_printf(help, "\n%s\n", group);
        }
        help_spelling(option, spelling, sizeof(spelling));
        help_sentence(option, sentence, sizeof(sentence));
        write_option(help, spelling, sentence);
    }
    help_text(help, "\nHelp\n");
    write_option(help, "-h, --help", "Print this.");
    write_option(help, "--help-markdown", "Print the settings as a Markdown page.");
    write_option(help, "--help-man", "Print the man page.");
    if (help_has_file(table)) {
        write_option(help, "--help-man-file", "Print the man page of the config file.");
    }
}

static void write_sections(struct help *help, const struct option_section *section) {
    char text[1024];
    for (; section && section->name; section++) {
        help_section(section, text, sizeof(text));
        help_text(help, "\n");
        help->column = 0;
        help_wrap(help, 2, text);
    }
}

static void write_sources(struct help *help, const struct option *table) {
    char text[1024];
    help_sources(table, text, sizeof(text));
    if (*text) {
        help_text(help, "\nWhere settings come from\n");
        help->column = 0;
        help_wrap(help, 2, text);
    }
}

static void write_summary(struct help *help, const struct command *command) {
    char line[256];
    snprintf(line, sizeof(line), "%c%s.", command->summary[0] - 'a' + 'A', command->summary + 1);
    write_option(help, commands_last_word(command), line);
}

static void write_actions(struct help *help, const struct command *command) {
    char line[128];
    help_text(help, "\nWhat it can do\n");
    for (size_t i = 0; command->actions[i]; i++) {
        write_summary(help, command->actions[i]);
    }
    snprintf(line, sizeof(line), "The options of one: freshet %s ACTION --help", command->name);
    help_text(help, "\n");
    help->column = 0;
    help_wrap(help, 0, line);
}

int help_command(struct buf *out, const struct command *command, size_t width) {
    struct help help = {.out = out, .width = width};
    char line[256];
    snprintf(line, sizeof(line), "freshet %s: %s", command->name, command->summary);
    help_wrap(&help, 0, line);
    help_text(&help, "\n");
    snprintf(line, sizeof(line), "Usage: freshet %s %s%s", command->name,
             command->actions ? "" : "[OPTION]... ", command->usage);
    help_wrap(&help, 0, line);
    help_text(&help, "\n");
    help_wrap(&help, 0, command->about);
    if (command->actions) {
        write_actions(&help, command);
    } else {
        write_options(&help, command->options);
    }
    write_sources(&help, command->options);
    write_sections(&help, command->sections);
    write_examples(&help, command->examples);
    return help.rc;
}

static void write_topics(struct help *help) {
    write_option(help, "help [COMMAND]", "Print the help of a command, as freshet COMMAND --help.");
    write_option(help, "version", "Print the versions of freshet and its libraries.");
}

int help_program(struct buf *out, const struct command *const *commands, size_t width) {
    struct help help = {.out = out, .width = width};
    char line[256];
    snprintf(line, sizeof(line), "freshet %s %s.", FRESHET_VERSION, help_tagline);
    help_wrap(&help, 0, line);
    help_text(&help, "\n");
    help_wrap(&help, 0, "Usage: freshet COMMAND [OPTION]... [ARGUMENT]...");
    help_text(&help, "\nCommands\n");
    for (size_t i = 0; commands[i]; i++) {
        write_summary(&help, commands[i]);
    }
    write_topics(&help);
    help_text(&help, "\nOther forms of the help\n");
    write_option(&help, "--help-markdown", "Print the settings of every command as Markdown.");
    write_option(&help, "--help-man", "Print the man page.");
    write_examples(&help, "freshet serve\n"
                          "freshet sub news\n"
                          "freshet pub news 'Hello, everyone'\n");
    return help.rc;
}
