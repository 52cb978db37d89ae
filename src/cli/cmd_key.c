// freshet key: a new API key, and the line that a server's file of keys needs for it. The key itself is
// printed once and kept nowhere.
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/api_keys.h"
#include "auth/key_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "hub/topic.h"

struct key_settings {
    char *file;
    struct texts subscribe, publish;
    bool admin;
    int64_t expires_ms;
};

#define AT(member) .offset = offsetof(struct key_settings, member)

static const struct option table[] = {
#include "cli/rights_options.h"

    {.name = "expires",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(expires_ms),
     .initial = "0",
     .value_name = "DURATION",
     .group = "What it lets its bearer do",
     .help = "For how long. 0 means until its line is taken out of the file."},
    {.name = "file",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(file),
     .value_name = "FILE",
     .group = "Where its line goes",
     .help = "The server's --api-keys-file, to which the line is added; it is made if need be. "
             "Without it the line is printed, too."},
    {.name = NULL},
};

static int append_patterns(struct buf *out, const char *word, const struct texts *patterns) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < patterns->count; i++) {
        rc = buf_append_text(out, word);
        rc = rc ? rc : api_keys_append_pattern(out, bytes_of(patterns->items[i]));
    }
    return rc;
}

static int append_expiry(struct buf *out, int64_t expires_ms) {
    time_t at = (time_t)((clock_wall_ms() + expires_ms) / 1000);
    struct tm parts;
    char text[40];
    if (expires_ms == 0) {
        return 0;
    }
    gmtime_r(&at, &parts);
    strftime(text, sizeof(text), " expires=%Y-%m-%dT%H:%M:%SZ", &parts);
    return buf_append_text(out, text);
}

static int compose_line(struct buf *out, const struct options *options, struct bytes key) {
    const struct key_settings *settings = options->settings;
    unsigned char hash[API_KEY_HASH];
    (void)api_key_hash(key, hash);
    int rc = buf_append_text(out, options->rest.items[0]);
    rc = rc ? rc : buf_append_text(out, " sha256:");
    for (size_t i = 0; rc == 0 && i < API_KEY_HASH; i++) {
        rc = buf_printf(out, "%02x", hash[i]);
    }
    rc = rc ? rc : append_patterns(out, " publish=", &settings->publish);
    rc = rc ? rc : append_patterns(out, " subscribe=", &settings->subscribe);
    rc = rc || !settings->admin ? rc : buf_append_text(out, " admin");
    rc = rc ? rc : append_expiry(out, settings->expires_ms);
    return rc ? rc : buf_append_text(out, "\n");
}

static const char *list_problem(const struct texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        const char *problem = topic_problem(bytes_of(texts->items[i]));
        if (problem) {
            return problem;
        }
    }
    return NULL;
}

static int check(struct options *options) {
    const struct key_settings *settings = options->settings;
    if (options->rest.count != 1) {
        return commands_usage_error(options, "give the key one name, such as \"shop\"");
    }
    const char *problem = api_keys_name_problem(bytes_of(options->rest.items[0]));
    problem = problem ? problem : list_problem(&settings->subscribe);
    problem = problem ? problem : list_problem(&settings->publish);
    return problem ? commands_usage_error(options, "%s", problem) : STATUS_OK;
}

static int fail(const struct options *options, const char *why) {
    const struct key_settings *settings = options->settings;
    output_say(options->program, "%s: %s", settings->file, why);
    return STATUS_FAILED;
}

// What the file would be must be what a server takes; else nothing is written.
static int check_file(const struct options *options, struct bytes line, struct buf *text) {
    const struct key_settings *settings = options->settings;
    char problem[API_KEYS_PROBLEM_MAX];
    struct api_keys *keys;
    int rc = key_file_read(settings->file, text);
    if (rc && !(rc == ERR_SYSTEM && errno == ENOENT)) {
        return fail(options, rc == ERR_SYSTEM ? strerror(errno) : "the file is too large");
    }
    bool open_end = text->len && text->at[text->len - 1] != '\n';
    if (open_end) {
        return fail(options, "its last line has no end; add one");
    }
    rc = buf_append(text, line.at, line.len);
    rc = rc ? rc : api_keys_create(&keys, buf_bytes(text), problem);
    if (rc) {
        return fail(options, rc == ERR_INVALID ? problem : "there is not enough memory");
    }
    api_keys_unref(keys);
    return STATUS_OK;
}

static int append_to_file(const struct options *options, struct bytes line) {
    const struct key_settings *settings = options->settings;
    struct buf text;
    buf_init(&text, &mem_libc, API_KEYS_FILE_MAX);
    int status = check_file(options, line, &text);
    buf_finish(&text);
    if (status) {
        return status;
    }
    int fd = open(settings->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, line.at, line.len) == (ssize_t)line.len;
    int error = errno;
    if (fd >= 0) {
        written = close(fd) == 0 && written;
    }
    return written ? STATUS_OK : fail(options, strerror(error));
}

static int give(const struct options *options, struct bytes key, struct bytes line) {
    const struct key_settings *settings = options->settings;
    int status = settings->file ? append_to_file(options, line) : STATUS_OK;
    if (status) {
        return status;
    }
    printf("%.*s\n", (int)key.len, key.at);
    if (!settings->file) {
        printf("%.*s", (int)line.len, line.at);
    }
    return fflush(stdout) ? STATUS_FAILED : STATUS_OK;
}

static int run(struct options *options) {
    char text[API_KEY_TEXT];
    struct bytes key = bytes_make(text, sizeof(text));
    struct buf line;
    int status = check(options);
    if (status) {
        return status;
    }
    buf_init(&line, &mem_libc, API_KEYS_LINE_MAX);
    int rc = api_key_make(text);
    rc = rc ? rc : compose_line(&line, options, key);
    if (rc) {
        output_say(options->program, rc == ERR_TOO_LARGE
                                         ? "the line would be too long; use patterns"
                                         : "the system gives no key");
        status = STATUS_FAILED;
    } else {
        status = give(options, key, buf_bytes(&line));
    }
    buf_finish(&line);
    OPENSSL_cleanse(text, sizeof(text));
    return status;
}

const struct command command_key = {
    .name = "key",
    .summary = "make an API key for a backend",
    .usage = "NAME",
    .about =
        "Prints a new API key, which is shown this once, and the line that lets a server know it. "
        "The line has only the key's hash, so the file is no secret; but whoever can write it can "
        "let themselves in.\nThe name is whom limits, rates and logs name. To take a key back, "
        "take its line out of the file and send the server a SIGHUP.",
    .examples = "KEY=$(freshet key shop --publish 'orders/**' --file keys)\n"
                "freshet serve --api-keys-file keys\n"
                "curl -H \"Authorization: Bearer $KEY\" -d hello localhost:8042/events/orders/1\n",
    .options = table,
    .settings_size = sizeof(struct key_settings),
    .run = run,
};
