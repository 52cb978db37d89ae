// Credentials of the service manager: `credential:NAME` in the place of a file's name is the file of
// that name in $CREDENTIALS_DIRECTORY. It refuses a name that would lead out of the directory.
#include <stdio.h>

#include "cli/options_private.h"

static const char PREFIX[] = "credential:", VARIABLE[] = "CREDENTIALS_DIRECTORY=";

static const char *find_directory(const char *const *environment) {
    for (; *environment; environment++) {
        if (strncmp(*environment, VARIABLE, sizeof(VARIABLE) - 1) == 0) {
            return *environment + sizeof(VARIABLE) - 1;
        }
    }
    return NULL;
}

static int resolve(struct options *options, const struct option *option, const char *directory,
                   char **text) {
    if (!*text || strncmp(*text, PREFIX, sizeof(PREFIX) - 1) != 0) {
        return 0;
    }
    const char *name = *text + sizeof(PREFIX) - 1;
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return options_fail(options, ERR_INVALID,
                            "%s: credential:%.100s is no name of a credential; it has no slashes",
                            option->name, name);
    }
    if (!directory || !*directory) {
        return options_fail(options, ERR_INVALID,
                            "%s: there is no $CREDENTIALS_DIRECTORY to take credential:%.100s "
                            "from; a unit gets one with LoadCredential=%.100s:/path/of/the/file",
                            option->name, name, name);
    }
    size_t size = strlen(directory) + 1 + strlen(name) + 1;
    char *path = mem_alloc(options->mem, size);
    if (!path) {
        return options_fail(options, ERR_NOMEM, "there is not enough memory to read the settings");
    }
    snprintf(path, size, "%s/%s", directory, name);
    mem_free(options->mem, *text);
    *text = path;
    return 0;
}

static int resolve_at(struct options *options, const struct option *option, const char *directory,
                      void *at) {
    int rc = 0;
    if (!(option->flags & OPTION_CREDENTIAL)) {
        return 0;
    }
    if (option->type == OPTION_TEXT) {
        return resolve(options, option, directory, at);
    }
    const struct texts *list = at;
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        rc = resolve(options, option, directory, &list->items[i]);
    }
    return rc;
}

static int resolve_section(struct options *options, const struct option_section *section,
                           const char *directory) {
    const struct records *records = options_records(options, section);
    int rc = 0;
    for (size_t i = 0; i < records->count; i++) {
        char *item = (char *)options_item(records, section, i);
        for (const struct option_member *m = section->members; rc == 0 && m->name; m++) {
            rc = resolve_at(options, options_find(options->table, bytes_of(m->name)), directory,
                            item + m->offset);
        }
    }
    return rc;
}

int options_credentials(struct options *options, const char *const *environment) {
    const char *directory = find_directory(environment);
    const struct option_section *section = options->sections;
    int rc = 0;
    for (const struct option *option = options->table; rc == 0 && option->name; option++) {
        rc = resolve_at(options, option, directory, (char *)options->settings + option->offset);
    }
    for (; rc == 0 && section && section->name; section++) {
        rc = resolve_section(options, section, directory);
    }
    return rc;
}
