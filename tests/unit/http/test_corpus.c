// The corpus of the fuzz target that is linked in, without a fuzzer.
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 1 << 20 };

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void run_file(const char *path, uint8_t *bytes) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, len);
}

static void runs_the_corpus(void **state) {
    const char *root = getenv("FUZZ_CORPUS");
    char folder[4096], path[8192];
    int count = 0;
    if (!root) {
        skip();
    }
    snprintf(folder, sizeof(folder), "%s/%s", root, fuzz_corpus);
    DIR *dir = opendir(folder);
    uint8_t *bytes = malloc(INPUT_MAX);
    assert_non_null(dir);
    assert_non_null(bytes);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            run_file(path, bytes);
            count++;
        }
    }
    assert_true(count > 0);
    closedir(dir);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_the_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
