// Help as a Markdown page: a section a command, a table of settings each. Pipes are escaped, since
// they would end a cell.
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/help_private.h"

static void write_cell(struct help *help, const char *text) {
    for (; *text && help->rc == 0; text++) {
        if (*text == '|') {
            help_text(help, "\\|");
        } else if (*text == '<' || *text == '*') {
            help_printf(help, "\\%c", *text);
        } else {
            help->rc = buf_append(help->out, text, 1);
        }
    }
}

static void write_code(struct help *help, const char *text) {
    if (text && *text) {
        // Nothing but a pipe has to be escaped in code, and nothing else can be.
        help_text(help, "`");
        for (; *text && help->rc == 0; text++) {
            help_printf(help, *text == '|' ? "\\%c" : "%c", *text);
        }
        help_text(help, "`");
    } else {
        help_text(help, "–");
    }
}

static void write_row(struct help *help, const struct option *option) {
    char spelling[128], variable[80], accepts[200], initial[200];
    help_spelling(option, spelling, sizeof(spelling));
    option_accepts(option, accepts, sizeof(accepts));
    bool has_variable =
        !(option->flags & OPTION_ARGS_ONLY) && option_env_name(option, variable, sizeof(variable));
    help_text(help, "| ");
    write_code(help, spelling);
    help_text(help, " | ");
    write_code(help, has_variable ? variable : NULL);
    help_text(help, " | ");
    write_code(help, help_default(option, initial, sizeof(initial)) ? initial : NULL);
    help_text(help, " | ");
    write_cell(help, option->help);
    help_text(help, " *");
    write_cell(help, accepts);
    help_text(help, option->flags & OPTION_LIVE ? "*; reloadable |\n" : "* |\n");
}

static void write_settings(struct help *help, const struct option *table) {
    const char *group = "";
    for (; table->name; table++) {
        if (strcmp(table->group, group) != 0) {
            group = table->group;
            help_printf(help, "\n### %s\n\n", group);
            help_text(help, "| Flag | Environment | Default | What it does |\n|---|---|---|---|\n");
        }
        write_row(help, table);
    }
}

static void write_paragraphs(struct help *help, const char *text) {
    for (; *text && help->rc == 0; text++) {
        help->rc = buf_append(help->out, text, 1);
        if (*text == '\n') {
            help_text(help, "\n");
        }
    }
}

static void write_sections(struct help *help, const struct option_section *section) {
    char text[1024];
    for (; section && section->name; section++) {
        help_section(section, text, sizeof(text));
        help_printf(help, "\n### Sections of the config file: %s\n\n", section->name);
        write_cell(help, text);
        help_text(help, "\n");
        help_printf(help, "\n```ini\n%s```\n", section->example);
    }
}

static void write_command(struct help *help, const struct command *command) {
    help_printf(help, "\n## freshet %s\n\n", command->name);
    help_printf(help, "`freshet %s%s%s%s`: %s.\n\n", command->name,
                command->actions ? "" : " [OPTION]...", *command->usage ? " " : "", command->usage,
                command->summary);
    write_paragraphs(help, command->about);
    help_text(help, "\n\n```sh\n");
    help_text(help, command->examples);
    help_text(help, "```\n");
    write_settings(help, command->options);
    if (help_has_file(command->options)) {
        help_text(help, "\n### The config file\n\n");
        write_paragraphs(help, help_file_format);
        help_text(help, "\n");
        write_sections(help, command->sections);
    }
}

static void write_commands(struct help *help, const struct command *const *commands) {
    for (size_t i = 0; commands[i]; i++) {
        write_command(help, commands[i]);
        for (size_t k = 0; commands[i]->actions && commands[i]->actions[k]; k++) {
            write_command(help, commands[i]->actions[k]);
        }
    }
}

int help_markdown(struct buf *out, const struct command *const *commands) {
    struct help help = {.out = out};
    bool one = commands[0] && !commands[1];
    help_text(&help, "# Settings\n\n");
    help_printf(&help,
                "This page is generated from the program: `freshet%s%s --help-markdown`.\n\n",
                one ? " " : "", one ? commands[0]->name : "");
    help_text(&help,
              "Each setting has one name. `max-connections` is the flag `--max-connections`, the\n"
              "environment variable `FRESHET_MAX_CONNECTIONS` and, for a command that has "
              "`--config`, the line\n`max-connections = 1000` of the config file. A flag wins over "
              "the environment, and the environment\nover the file. A duration is a number with "
              "`ms`, `s`, `m`, `h` or `d`; without one it is in seconds.\nA size may end in `k`, "
              "`m` or `g`, powers of 1024.\n\n"
              "What is *reloadable* takes a new value from its file while the server runs: on "
              "SIGHUP, or by\n`POST /api/reload`. Everything else waits for a restart.\n");
    write_commands(&help, commands);
    return help.rc;
}
