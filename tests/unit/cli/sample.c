// The sample command and the life of its settings.
#include "sample.h"

#include <string.h>

static const char *const formats[] = {"text", "json", "raw", NULL};

const struct option sample_table[] = {
    {.name = "loud",
     .letter = 'l',
     .type = OPTION_FLAG,
     .flags = OPTION_LIVE,
     .offset = offsetof(struct sample, loud),
     .help = "Say more.",
     .group = "Speech"},
    {.name = "reconnect",
     .type = OPTION_FLAG,
     .offset = offsetof(struct sample, reconnect),
     .initial = "true",
     .help = "Connect again when the connection breaks.",
     .group = "Speech"},
    {.name = "name",
     .letter = 'n',
     .type = OPTION_TEXT,
     .flags = OPTION_LIVE | OPTION_SECRET | OPTION_CREDENTIAL,
     .offset = offsetof(struct sample, name),
     .initial = "anna",
     .value_name = "NAME",
     .help = "Who speaks.",
     .group = "Speech"},
    {.name = "config",
     .type = OPTION_TEXT,
     .flags = OPTION_NOT_FILE,
     .offset = offsetof(struct sample, config),
     .value_name = "FILE",
     .help = "Read settings from FILE.",
     .group = "Speech"},
    {.name = "listen-on",
     .type = OPTION_ADDRESS,
     .offset = offsetof(struct sample, listen),
     .initial = "127.0.0.1:8042",
     .value_name = "ADDRESS",
     .help = "Where to listen; this sentence is long enough that it has to be broken over two or "
             "three lines on any terminal that people use.",
     .group = "Limits"},
    {.name = "once",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     .offset = offsetof(struct sample, once),
     .value_name = "TEXT",
     .help = "About this call only.",
     .group = "Limits"},
    {.name = "cors-origin",
     .type = OPTION_LIST,
     .flags = OPTION_LIVE | OPTION_CREDENTIAL,
     .offset = offsetof(struct sample, origins),
     .initial = "a,b",
     .value_name = "ORIGIN",
     .help = "Who may | read.",
     .group = "Limits"},
    {.name = "header",
     .letter = 'H',
     .type = OPTION_LINES,
     .offset = offsetof(struct sample, headers),
     .value_name = "LINE",
     .help = "A header.",
     .group = "Limits"},
    {.name = "max-connections",
     .letter = 'm',
     .type = OPTION_COUNT,
     .flags = OPTION_LIVE,
     .offset = offsetof(struct sample, max),
     .initial = "100",
     .min = 1,
     .max = 1000,
     .value_name = "N",
     .help = "How many at once.",
     .group = "Limits"},
    {.name = "max-body",
     .type = OPTION_SIZE,
     .flags = OPTION_LIVE,
     .offset = offsetof(struct sample, size),
     .initial = "1m",
     .beside = "once",
     .initial_then = "2m",
     .min = 1024,
     .value_name = "SIZE",
     .help = "How large.",
     .group = "Limits"},
    {.name = "wait",
     .letter = 'w',
     .type = OPTION_DURATION,
     .flags = OPTION_LIVE,
     .offset = offsetof(struct sample, wait),
     .initial = "15s",
     .min = 100,
     .max = 86400000,
     .value_name = "TIME",
     .help = "How long.",
     .group = "Limits"},
    {.name = "format",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct sample, format),
     .initial = "text",
     .choices = formats,
     .value_name = "FORMAT",
     .help = "How it looks.",
     .group = "Limits"},
    {.name = NULL},
};

static const char *room_problem(struct bytes name) {
    return bytes_starts_with(name, "no") ? "no room has such a name" : NULL;
}

static const struct option_member room_members[] = {
    {"max-connections", offsetof(struct sample_room, max)},
    {"max-body", offsetof(struct sample_room, size)},
    {"wait", offsetof(struct sample_room, wait)},
    {"loud", offsetof(struct sample_room, loud)},
    {"format", offsetof(struct sample_room, format)},
    {"name", offsetof(struct sample_room, speaker)},
    {"cors-origin", offsetof(struct sample_room, origins)},
    {NULL, 0},
};

static const struct option_member door_members[] = {
    {"wait", offsetof(struct sample_door, wait)},
    {NULL, 0},
};

const struct option_section sample_sections[] = {
    {.name = "room",
     .argument = "NAME",
     .offset = offsetof(struct sample, rooms),
     .size = sizeof(struct sample_room),
     .most = SAMPLE_ROOMS_MAX,
     .live = true,
     .members = room_members,
     .problem = room_problem,
     .help = "Of one room.",
     .example = "[room \"blue\"]\nwait = 1s\n"},
    {.name = "door",
     .argument = "PLACE",
     .offset = offsetof(struct sample, doors),
     .size = sizeof(struct sample_door),
     .most = 1,
     .members = door_members,
     .problem = room_problem,
     .help = "Of one door.",
     .example = "[door \"front\"]\nwait = 1s\n"},
    {.name = NULL},
};

static int run_nothing(struct options *options) {
    return STATUS_OK;
}

const struct command sample_command = {
    .name = "sample",
    .summary = "shows an option of every type",
    .usage = "THING...",
    .about = "It does nothing, at some length: this paragraph is broken into lines that fit.\n"
             ".Its second paragraph starts with a dot and has a \\ in it.",
    .examples = "freshet sample --loud thing\nfreshet sample --wait 3s thing\n",
    .options = sample_table,
    .sections = sample_sections,
    .settings_size = sizeof(struct sample),
    .run = run_nothing,
};

void sample_init(struct sample_options *sample) {
    memset(sample, 0, sizeof(*sample));
    test_mem_init(&sample->mem);
    options_init(&sample->options, &sample->mem.mem, sample_table, &sample->settings,
                 "freshet sample");
    sample->options.sections = sample_sections;
    assert_int_equal(options_defaults(&sample->options), 0);
}

void sample_finish(struct sample_options *sample) {
    options_finish(&sample->options);
    options_finish(&sample->options);
    test_mem_finish(&sample->mem);
}

int sample_args(struct sample_options *sample, ...) {
    const char *argv[16];
    int argc = 0;
    va_list args;
    va_start(args, sample);
    while ((argv[argc] = va_arg(args, const char *))) {
        argc++;
    }
    va_end(args);
    return options_from_args(&sample->options, argc, argv);
}
