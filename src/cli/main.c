// freshet: one program, one file a command.
#include <stdio.h>

int main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    puts("freshet " FRESHET_VERSION);
    return 0;
}
