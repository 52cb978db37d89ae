// freshet token: a token for freshet serve, signed with the secret that it believes. For shells and for
// trying things out; a backend makes its own, with a library.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auth/key_file.h"
#include "auth/key_set.h"
#include "auth/sign.h"
#include "auth/template.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"

struct token_settings {
    char *secret, *secret_file, *claim, *subject, *issuer, *audience;
    struct texts subscribe, publish;
    bool admin;
    int64_t expires_ms;
};

#define AT(member) .offset = offsetof(struct token_settings, member)

static const struct option table[] = {
#include "cli/rights_options.h"

    {.name = "expires",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(expires_ms),
     .initial = "1h",
     .value_name = "DURATION",
     .group = "What it lets its bearer do",
     .help = "For how long. 0 means for ever, or until the secret changes."},
    {.name = "subject",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(subject),
     .value_name = "NAME",
     .group = "What it says",
     .help = "Who its bearer is (`sub`)."},
    {.name = "issuer",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(issuer),
     .value_name = "ISSUER",
     .group = "What it says",
     .help = "Who made it (`iss`)."},
    {.name = "audience",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(audience),
     .value_name = "AUDIENCE",
     .group = "What it says",
     .help = "For whom it is meant (`aud`)."},
    {.name = "jwt-claim",
     .type = OPTION_TEXT,
     AT(claim),
     .initial = "freshet",
     .value_name = "NAME",
     .group = "What it says",
     .help = "The claim with the rights, as the server has it."},
    {.name = "jwt-secret-file",
     .type = OPTION_TEXT,
     AT(secret_file),
     .value_name = "FILE",
     .group = "What it is signed with",
     .help = "File with the secret that the server has."},
    {.name = "jwt-secret",
     .type = OPTION_TEXT,
     AT(secret),
     .value_name = "SECRET",
     .group = "What it is signed with",
     .help = "The secret itself. Other users of the machine see the arguments of a program: name a "
             "file, or use the environment."},
    {.name = NULL},
};

static int append_member(struct buf *out, const char *name, const char *value) {
    int rc = value ? buf_printf(out, "\"%s\":", name) : 0;
    rc = rc || !value ? rc : json_append_string(out, bytes_of(value));
    return rc || !value ? rc : buf_append_text(out, ",");
}

static int append_list(struct buf *out, const char *name, const struct texts *texts) {
    int rc = buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; rc == 0 && i < texts->count; i++) {
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : json_append_string(out, bytes_of(texts->items[i]));
    }
    return rc ? rc : buf_append_text(out, "]");
}

static int compose(struct buf *out, const struct token_settings *settings) {
    int64_t now = clock_wall_ms() / 1000;
    int rc = buf_append_text(out, "{");
    rc = rc ? rc : append_member(out, "sub", settings->subject);
    rc = rc ? rc : append_member(out, "iss", settings->issuer);
    rc = rc ? rc : append_member(out, "aud", settings->audience);
    rc = rc ? rc : buf_printf(out, "\"iat\":%lld,", (long long)now);
    if (rc == 0 && settings->expires_ms) {
        rc = buf_printf(out, "\"exp\":%lld,", (long long)(now + settings->expires_ms / 1000));
    }
    rc = rc ? rc : json_append_string(out, bytes_of(settings->claim));
    rc = rc ? rc : buf_append_text(out, ":{");
    rc = rc ? rc : append_list(out, "subscribe", &settings->subscribe);
    rc = rc ? rc : buf_append_text(out, ",");
    rc = rc ? rc : append_list(out, "publish", &settings->publish);
    return rc ? rc : buf_append_text(out, settings->admin ? ",\"admin\":true}}" : "}}");
}

static const char *list_problem(const struct texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        const char *problem = template_problem(bytes_of(texts->items[i]));
        if (problem) {
            return problem;
        }
    }
    return NULL;
}

static int check(struct options *options) {
    const struct token_settings *settings = options->settings;
    const char *problem = list_problem(&settings->subscribe);
    problem = problem ? problem : list_problem(&settings->publish);
    if (options->rest.count) {
        return commands_usage_error(options, "it takes no arguments, but got \"%.100s\"",
                                    options->rest.items[0]);
    }
    if (problem) {
        return commands_usage_error(options, "%s", problem);
    }
    if (!settings->secret && !settings->secret_file) {
        return commands_usage_error(options, "say what to sign with: --jwt-secret-file FILE, or "
                                             "FRESHET_JWT_SECRET in the environment");
    }
    return STATUS_OK;
}

static int print(struct options *options, struct bytes secret) {
    struct buf claims, token;
    buf_init(&claims, &mem_libc, 0);
    buf_init(&token, &mem_libc, 0);
    int rc = compose(&claims, options->settings);
    rc = rc ? rc : sign_claims(secret, buf_bytes(&claims), &token);
    if (rc) {
        output_say(options->program, rc == ERR_INVALID ? "the secret is shorter than 32 bytes"
                                                       : "there is not enough memory");
    } else {
        printf("%.*s\n", (int)token.len, token.at);
    }
    buf_finish(&claims);
    buf_finish(&token);
    return rc || fflush(stdout) ? STATUS_FAILED : STATUS_OK;
}

static int run(struct options *options) {
    const struct token_settings *settings = options->settings;
    struct buf secret;
    int status = check(options);
    if (status) {
        return status;
    }
    buf_init(&secret, &mem_libc, KEY_FILE_MAX);
    if (!settings->secret_file) {
        status = print(options, bytes_of(settings->secret));
    } else if (key_file_read(settings->secret_file, &secret)) {
        output_say(options->program, "%s cannot be read: %s", settings->secret_file,
                   strerror(errno));
        status = STATUS_FAILED;
    } else {
        status = print(options, key_file_trim(buf_bytes(&secret)));
    }
    buf_finish(&secret);
    return status;
}

const struct command command_token = {
    .name = "token",
    .summary = "sign a token that says who may do what",
    .usage = "",
    .about =
        "Prints a token (JWT, HS256) for a server that has the same secret, which is at least 32 "
        "bytes.\nA backend makes its own tokens, with a library; this is for shells, for trying "
        "things out, and for looking at what the claims are.",
    .examples = "openssl rand -base64 48 > secret; chmod 600 secret\n"
                "freshet serve --jwt-secret-file secret\n"
                "freshet token --jwt-secret-file secret --subscribe 'news/*' --publish news/today\n"
                "freshet sub news/today --header \"Authorization: Bearer $TOKEN\"\n",
    .options = table,
    .settings_size = sizeof(struct token_settings),
    .run = run,
};
