// Files of Unix sockets. The system leaves the file behind when a socket is closed; whether it is
// in use is found by connecting to it.
#include "net/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { NAME_SIZE = 64, ANY_MODE = 0777 };

static bool to_text(struct bytes name, char text[NAME_SIZE]) {
    if (name.len >= NAME_SIZE) {
        return false;
    }
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    return true;
}

static bool find_user(struct bytes name, uid_t *out) {
    char text[NAME_SIZE];
    uint64_t number;
    if (bytes_to_u64(name, UINT32_MAX - 1, &number)) {
        *out = (uid_t)number;
        return true;
    }
    const struct passwd *found = to_text(name, text) ? getpwnam(text) : NULL;
    *out = found ? found->pw_uid : (uid_t)-1;
    return found;
}

static bool find_group(struct bytes name, gid_t *out) {
    char text[NAME_SIZE];
    uint64_t number;
    if (bytes_to_u64(name, UINT32_MAX - 1, &number)) {
        *out = (gid_t)number;
        return true;
    }
    const struct group *found = to_text(name, text) ? getgrnam(text) : NULL;
    *out = found ? found->gr_gid : (gid_t)-1;
    return found;
}

const char *unix_socket_owner(struct bytes user, struct bytes group, struct unix_access *out) {
    out->user = (uid_t)-1;
    out->group = (gid_t)-1;
    if (user.len && !find_user(user, &out->user)) {
        return "there is no user of the name that owner= gives";
    }
    if (group.len && !find_group(group, &out->group)) {
        return "there is no group of the name that owner= gives";
    }
    return NULL;
}

static int open_socket(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))) {
        close(fd);
        return -1;
    }
    return fd;
}

// Whether somebody listens: 0 for nobody, else an errno. A full backlog (EAGAIN) is somebody too.
static int in_use(const struct address *address) {
    int fd = open_socket();
    if (fd < 0) {
        return errno;
    }
    int error = connect(fd, &address->any, address->len) ? errno : 0;
    close(fd);
    switch (error) {
    case ECONNREFUSED:
    case ENOENT:
        return 0;
    case 0:
    case EAGAIN:
        return EADDRINUSE;
    default:
        return error;
    }
}

// Removes what an earlier socket left behind: 0 or an errno.
static int clear_way(const struct address *address) {
    struct stat there;
    if (lstat(address->un.sun_path, &there)) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISSOCK(there.st_mode)) {
        return EEXIST;
    }
    int error = in_use(address);
    if (error == 0 && unlink(address->un.sun_path) && errno != ENOENT) {
        error = errno;
    }
    return error;
}

// The mode by the umask, and the owner by lchown: neither follows a link that somebody puts there
// meanwhile. No other thread runs yet.
static int bind_file(int fd, const struct address *address, const struct unix_access *access) {
    mode_t before = umask(0);
    (void)umask(access->mode < 0 ? before : (mode_t)(~access->mode & ANY_MODE));
    int error = bind(fd, &address->any, address->len) ? errno : 0;
    (void)umask(before);
    return error;
}

static int set_owner(const char *path, const struct unix_access *access) {
    bool kept = access->user == (uid_t)-1 && access->group == (gid_t)-1;
    return kept || lchown(path, access->user, access->group) == 0 ? 0 : errno;
}

static int note_file(const char *path, struct unix_file *file) {
    struct stat there;
    if (lstat(path, &there)) {
        return errno;
    }
    snprintf(file->path, sizeof(file->path), "%s", path);
    file->device = there.st_dev;
    file->inode = there.st_ino;
    return 0;
}

int unix_socket_bind(const struct address *address, const struct unix_access *access,
                     struct unix_file *file) {
    const char *path = address->un.sun_path;
    file->path[0] = '\0';
    int error = clear_way(address);
    int fd = error ? -1 : open_socket();
    if (fd < 0) {
        errno = error ? error : errno;
        return ERR_SYSTEM;
    }
    error = bind_file(fd, address, access);
    error = error ? error : note_file(path, file);
    error = error ? error : set_owner(path, access);
    if (error) {
        unix_socket_remove(file);
        close(fd);
        errno = error;
        return ERR_SYSTEM;
    }
    return fd;
}

void unix_socket_remove(struct unix_file *file) {
    struct stat there;
    if (file->path[0] && lstat(file->path, &there) == 0 && there.st_dev == file->device &&
        there.st_ino == file->inode) {
        (void)unlink(file->path);
    }
    file->path[0] = '\0';
}
