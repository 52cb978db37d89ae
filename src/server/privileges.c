// The order matters: groups while it is still root, the user last. It refuses to become root, and to go on
// when anything of root is left.
#include "server/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static int say(char problem[PRIVILEGES_PROBLEM_MAX], int rc, const char *name, const char *why) {
    snprintf(problem, PRIVILEGES_PROBLEM_MAX, "--user %.60s: %s", name, why);
    return rc;
}

int privileges_find(struct privileges *privileges, const char *name, bool now,
                    char problem[PRIVILEGES_PROBLEM_MAX]) {
    char room[4096];
    struct passwd entry, *found = NULL;
    *privileges = (struct privileges){.wanted = false};
    if (!name) {
        return 0;
    }
    int error = getpwnam_r(name, &entry, room, sizeof(room), &found);
    if (!found || strlen(name) >= sizeof(privileges->name)) {
        return say(problem, ERR_INVALID, name,
                   error ? strerror(error) : "there is no user of that name");
    }
    if (entry.pw_uid == 0) {
        return say(problem, ERR_INVALID, name, "that is root; name a user who may do nothing else");
    }
    *privileges = (struct privileges){.wanted = true,
                                      .is = geteuid() == entry.pw_uid && getuid() == entry.pw_uid,
                                      .user = entry.pw_uid,
                                      .group = entry.pw_gid};
    snprintf(privileges->name, sizeof(privileges->name), "%s", name);
    if (now && !privileges->is && geteuid() != 0) {
        return say(problem, ERR_INVALID, name,
                   "only root can become another user; start it as root, or as that user");
    }
    return 0;
}

static int fail(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]) {
    return say(problem, ERR_SYSTEM, privileges->name, strerror(errno));
}

int privileges_enter(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]) {
    if (!privileges->wanted || privileges->is) {
        return 0;
    }
    return setegid(privileges->group) || seteuid(privileges->user) ? fail(privileges, problem) : 0;
}

int privileges_leave(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]) {
    if (!privileges->wanted || privileges->is) {
        return 0;
    }
    return seteuid(0) || setegid(getgid()) ? fail(privileges, problem) : 0;
}

// Whoever still has root anywhere can have it back.
static bool is_gone(const struct privileges *privileges) {
    return getuid() == privileges->user && geteuid() == privileges->user &&
           getgid() == privileges->group && getegid() == privileges->group && setuid(0) &&
           seteuid(0) && setgid(0);
}

int privileges_drop(const struct privileges *privileges, char problem[PRIVILEGES_PROBLEM_MAX]) {
    if (!privileges->wanted || privileges->is) {
        return 0;
    }
    if (initgroups(privileges->name, privileges->group) || setgid(privileges->group) ||
        setuid(privileges->user)) {
        return fail(privileges, problem);
    }
    return is_gone(privileges) ? 0
                               : say(problem, ERR_SYSTEM, privileges->name,
                                     "root could be had back, so this is not safe");
}
