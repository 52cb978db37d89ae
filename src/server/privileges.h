// Giving up root. The main thread, though it holds for all threads: the C library sees to that.
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

enum { PRIVILEGES_PROBLEM_MAX = 256 };

struct privileges {
    bool wanted; // there is somebody to become
    bool is;     // the process is them already
    uid_t user;
    gid_t group;
    char name[64];
};

// Looks up who is meant; NULL: nobody, and all of this does nothing. 0, or ERR_INVALID and a sentence.
// `now`: the process must be able to become them, too.
int privileges_find(struct privileges *privileges, const char *name, bool now,
                    char problem[PRIVILEGES_PROBLEM_MAX]);

// For a while, so that files that are made belong to them; privileges_leave gives back what there was.
// 0, or ERR_SYSTEM and a sentence.
int privileges_enter(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]);
int privileges_leave(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]);

// For good: the groups, the group, the user; and then it is tried to get back, which must fail. 0, or
// ERR_SYSTEM and a sentence.
int privileges_drop(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]);

#endif
