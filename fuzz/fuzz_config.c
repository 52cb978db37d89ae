// The config file under a fuzzer: an input is which allocation fails, if any, and a file of `freshet
// serve`. It is read whole, or refused with a sentence that names the file and has no control
// characters; what was read is within the bounds of the table; every byte comes back.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/options.h"
#include "cli/serve_options.h"
#include "server/settings.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "config";

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

// Memory that is counted, and runs out at one call.
struct purse {
    long alive, calls, fail_at;
};

static void *resize(void *ctx, void *old, size_t size) {
    struct purse *purse = ctx;
    if (size == 0) {
        purse->alive -= old != NULL;
        free(old);
        return NULL;
    }
    if (++purse->calls == purse->fail_at) {
        return NULL;
    }
    void *at = realloc(old, size);
    require(at != NULL);
    purse->alive += old == NULL;
    return at;
}

static uint64_t number_at(const struct settings *settings, const struct option *option) {
    uint64_t number;
    memcpy(&number, (const char *)settings + option->offset, sizeof(number));
    return number;
}

static int choice_at(const struct settings *settings, const struct option *option) {
    int choice;
    memcpy(&choice, (const char *)settings + option->offset, sizeof(choice));
    return choice;
}

static void check_bounds(const struct settings *settings, const struct option *option) {
    switch (option->type) {
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        require(number_at(settings, option) >= option->min);
        require(option->max == 0 || number_at(settings, option) <= option->max);
        break;
    case OPTION_CHOICE:
        require(choice_at(settings, option) >= 0);
        for (int i = 0; i <= choice_at(settings, option); i++) {
            require(option->choices[i] != NULL);
        }
        break;
    default:
        break;
    }
}

static void check_sections(const struct settings *settings) {
    const struct topic_settings *topics = settings->topics.items;
    const struct listen_settings *listen = settings->listen_sections.items;
    for (size_t i = 0; i < settings->topics.count; i++) {
        require(topics[i].pattern != NULL && topics[i].pattern[0] != '\0');
    }
    for (size_t i = 0; i < settings->listen_sections.count; i++) {
        require(listen[i].address != NULL && !strchr(listen[i].address, ';'));
    }
}

static void check_sentence(const struct options *options, const char *path) {
    require(options->error[0] != '\0' && strlen(options->error) < OPTIONS_ERROR_MAX);
    require(strstr(options->error, path) || strstr(options->error, "memory"));
    for (const char *at = options->error; *at; at++) {
        require((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
}

static int read_settings(const char *path, struct purse *purse) {
    const struct mem mem = {.resize = resize, .ctx = purse};
    struct settings settings = {0};
    struct options options;
    options_init(&options, &mem, serve_options, &settings, "freshet serve");
    options.sections = serve_sections;
    int rc = options_defaults(&options);
    rc = rc ? rc : options_from_file(&options, path);
    if (rc == 0) {
        for (const struct option *option = serve_options; option->name; option++) {
            check_bounds(&settings, option);
        }
        check_sections(&settings);
    } else {
        check_sentence(&options, path);
    }
    options_finish(&options);
    require(purse->alive == 0);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    char path[64];
    if (len < 1) {
        return 0;
    }
    int fd = memfd_create("config", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, bytes + 1, len - 1) == (ssize_t)(len - 1));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct purse ample = {0}, short_of = {.fail_at = bytes[0]};
    int rc = read_settings(path, &ample);
    require(rc == 0 || rc == ERR_INVALID || rc == ERR_TOO_LARGE);
    int again = read_settings(path, &short_of);
    // Once it has all the memory that it asks for, the same comes of it.
    bool failed = short_of.fail_at && short_of.calls >= short_of.fail_at;
    require(failed || again == rc);
    close(fd);
    return 0;
}
