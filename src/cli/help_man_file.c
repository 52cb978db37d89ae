// freshet.conf(5): the config file of a command as a man page. The same table as everything else, with the
// settings as they are written in the file; what the file may not hold is left out.
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/help.h"
#include "cli/help_private.h"

enum { NOT_IN_FILE = OPTION_ARGS_ONLY | OPTION_NOT_FILE | OPTION_NOT_OWN_FILE };

static const char example[] = "# /etc/freshet.conf\n"
                              "listen = 127.0.0.1:8042\n"
                              "data = /var/lib/freshet\n"
                              "history-age = 2d\n"
                              "max-connections = 50000\n"
                              "\n"
                              "[topics \"sensors/**\"]\n"
                              "history-age = 30d\n";

static void write_setting(struct help *help, const struct option *option) {
    char line[128], sentence[1024];
    const char *value = option->type == OPTION_FLAG ? "true" : option->value_name;
    snprintf(line, sizeof(line), "%s = %s", option->name, value);
    help_sentence(option, sentence, sizeof(sentence));
    help_text(help, ".TP\n.B ");
    help_roff(help, line);
    help_roff(help, sentence);
}

static void write_settings(struct help *help, const struct option *table) {
    const char *group = "";
    help_text(help, ".SH SETTINGS\n");
    for (; table->name; table++) {
        if (table->flags & NOT_IN_FILE) {
            continue;
        }
        if (strcmp(table->group, group) != 0) {
            group = table->group;
            help_text(help, ".SS ");
            help_roff(help, group);
        }
        write_setting(help, table);
    }
}

static void write_sections(struct help *help, const struct option_section *section) {
    char text[1024];
    help_text(help, ".SH SECTIONS\n");
    for (; section && section->name; section++) {
        help_text(help, ".SS ");
        help_printf(help, "[%s \"%s\"]\n", section->name, section->argument);
        help_section(section, text, sizeof(text));
        help_roff(help, text);
        help_roff_lines(help, section->example);
    }
}

int help_man_file(struct buf *out, const struct command *command) {
    struct help help = {.out = out};
    char sources[1024];
    if (!help_has_file(command->options)) {
        return ERR_INVALID;
    }
    help_printf(&help, ".TH FRESHET.CONF 5 \"\" \"freshet %s\"\n", FRESHET_VERSION);
    help_printf(&help, ".SH NAME\nfreshet.conf \\- settings of freshet %s\n", command->name);
    help_printf(&help, ".SH SYNOPSIS\n.B freshet %s\n\\-\\-config FILE\n", command->name);
    help_text(&help, ".SH DESCRIPTION\nNo file is read unless it is named, by \\-\\-config or by "
                     "FRESHET_CONFIG.\n.PP\n");
    help_roff(&help, help_file_format);
    help_sources(command->options, sources, sizeof(sources));
    help_text(&help, ".PP\n");
    help_roff(&help, sources);
    help_printf(&help,
                ".PP\n\\fBfreshet %s \\-\\-check \\-\\-config FILE\\fR says what is wrong.\n",
                command->name);
    write_settings(&help, command->options);
    write_sections(&help, command->sections);
    help_text(&help, ".SH EXAMPLES\n");
    help_roff_lines(&help, example);
    help_printf(&help, ".SH SEE ALSO\n\\fBfreshet\\-%s\\fR(1),\n\\fBfreshet\\fR(1)\n",
                command->name);
    return help.rc;
}
