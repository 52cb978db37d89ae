// The corpus of fuzz_event_stream, and every vector, through the fuzz target without a fuzzer.
#include "support.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { INPUT_MAX = 1 << 20 };

// Returns how many files there were. The first byte of an input is the target's to choose by; with
// `choices`, the file is only what follows it, and a few first bytes are tried.
static int run_folder(const char *parent, const char *name, bool choices) {
    char path[4096];
    snprintf(path, sizeof path, "%s%s", parent, name);
    DIR *dir = opendir(path);
    uint8_t *bytes = malloc(INPUT_MAX);
    int count = 0;
    assert_non_null(dir);
    assert_non_null(bytes);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char file_path[8192];
        snprintf(file_path, sizeof file_path, "%s/%s", path, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(file_path, "rb");
        if (!file) {
            continue;
        }
        size_t len = fread(bytes + choices, 1, INPUT_MAX - 1, file) + choices;
        fclose(file);
        for (unsigned choice = 0; choice < (choices ? 256 : 1); choice += 15) {
            bytes[0] = choices ? (uint8_t)choice : bytes[0];
            LLVMFuzzerTestOneInput(bytes, len);
        }
        count++;
    }
    closedir(dir);
    free(bytes);
    return count;
}

static void corpus(void **state) {
    const char *folder = getenv("FUZZ_CORPUS");
    if (!folder) {
        skip();
    }
    assert_true(run_folder(folder, "/event_stream", false) > 0);
}

static void vectors(void **state) {
    const char *folder = getenv("TEST_VECTORS");
    if (!folder) {
        skip();
    }
    assert_true(run_folder(folder, "", true) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus),
        cmocka_unit_test(vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
