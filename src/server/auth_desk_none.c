// Asking a backend in a build without libcurl: it cannot be asked, and wishing for it is refused.
#include "base/error.h"
#include "server/auth_desk.h"

bool auth_desk_possible(void) {
    return false;
}

int auth_desk_open(struct auth_desk **out, const struct auth_desk_settings *settings) {
    (void)settings;
    *out = NULL;
    return ERR_SYSTEM;
}

void auth_desk_close(struct auth_desk **desk) {
    *desk = NULL;
}

int auth_desk_ask(struct auth_desk *desk, struct auth_question *question) {
    (void)desk;
    (void)question;
    return ERR_TOO_LARGE;
}

bool auth_desk_leave(struct auth_desk *desk, struct auth_question *question) {
    (void)desk;
    (void)question;
    return true;
}

void auth_desk_forget(struct auth_desk *desk) {
    (void)desk;
}

void auth_desk_count(struct auth_desk *desk, struct auth_desk_counters *out) {
    (void)desk;
    *out = (struct auth_desk_counters){0};
}
