/*
 * directory.c -- the state directory and its lock.
 *
 * Why: two processes on one state would each be right alone and wrong together. The kernel drops
 *   the lock when its holder dies in any way, so there is no stale lock to clean up.
 * How: a POSIX record lock names its holder's pid, but it neither conflicts within one process nor
 *   survives any other close of the same file there. So the process also keeps a list of what it
 *   holds, and looks there before it touches the file.
 */
#include "millrace/arena.h"
#include "rocksdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBE_BYTES ((ssize_t)1048576)

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER; /* protects held */
static struct rocks_directory *held;

enum mr_status rocks_path(const char *directory, const char *name, char path[ROCKS_PATH_BYTES_MAX],
                          struct mr_err *err)
{
    const int bytes = snprintf(path, ROCKS_PATH_BYTES_MAX, "%s/%s", directory, name);

    if (bytes < 0 || (size_t)bytes >= ROCKS_PATH_BYTES_MAX) {
        return mr_fail(err, MR_CONFIG, "the name of the state directory is too long");
    }
    return MR_OK;
}

/* Makes the directory and those above it. */
static enum mr_status make_directory(const char *directory, struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];

    MR_TRY(rocks_path(directory, "", path, err)); /* ends with a slash */
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return mr_fail(err, MR_STORE_IO, "cannot make state directory %s: %s", path,
                           strerror(errno));
        }
        *slash = '/';
    }
    return MR_OK;
}

static bool is_held(const struct stat *file)
{
    for (const struct rocks_directory *at = held; at != NULL; at = at->next) {
        if (at->device == file->st_dev && at->inode == file->st_ino) {
            return true;
        }
    }
    return false;
}

static enum mr_status fail_in_use(const char *path, long pid, struct mr_err *err)
{
    return mr_fail(err, MR_FOREIGN_STATE, "state directory is in use by process %ld: %s", pid,
                   path);
}

static enum mr_status lock_file(int fd, const char *path, struct mr_err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &lock) == 0) {
        return MR_OK;
    }
    if (errno != EACCES && errno != EAGAIN) {
        return mr_fail(err, MR_STORE_IO, "cannot lock %s: %s", path, strerror(errno));
    }
    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
        return fail_in_use(path, (long)lock.l_pid, err);
    }
    return mr_fail(err, MR_STORE_IO, "cannot lock %s: its holder has just let go", path);
}

/* With held_lock. */
static enum mr_status take(const char *path, struct rocks_directory **directory, struct mr_err *err)
{
    struct stat file;
    enum mr_status status;
    int fd;

    if (stat(path, &file) == 0 && is_held(&file)) {
        return fail_in_use(path, (long)getpid(), err);
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        return mr_fail(err, MR_STORE_IO, "cannot open %s: %s", path, strerror(errno));
    }
    status = lock_file(fd, path, err);
    if (status == MR_OK && fstat(fd, &file) != 0) {
        status = mr_fail(err, MR_STORE_IO, "cannot look at %s: %s", path, strerror(errno));
    }
    if (status != MR_OK) {
        (void)close(fd);
        return status;
    }
    *directory = mr_xcalloc(1, sizeof(**directory));
    **directory = (struct rocks_directory){
        .lock_fd = fd, .device = file.st_dev, .inode = file.st_ino, .next = held};
    held = *directory;
    return MR_OK;
}

enum mr_status rocks_directory_probe(const char *directory_path, struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];
    char *bytes = NULL;
    bool written = false;
    int code;
    int fd;

    MR_TRY(rocks_path(directory_path, "probe", path, err));
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0) {
        bytes = mr_xcalloc(1, (size_t)PROBE_BYTES);
        written = write(fd, bytes, (size_t)PROBE_BYTES) == PROBE_BYTES && fsync(fd) == 0;
        free(bytes);
    }
    code = errno;
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return written ? MR_OK
                   : mr_fail(err, MR_RESOURCE, "cannot write to the state directory %s: %s",
                             directory_path, strerror(code));
}

enum mr_status rocks_directory_take(const char *directory_path, struct rocks_directory **directory,
                                    struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];
    enum mr_status status;

    *directory = NULL;
    MR_TRY(make_directory(directory_path, err));
    MR_TRY(rocks_path(directory_path, "lock", path, err));
    MR_ASSERT(pthread_mutex_lock(&held_lock) == 0);
    status = take(path, directory, err);
    MR_ASSERT(pthread_mutex_unlock(&held_lock) == 0);
    return status;
}

static enum mr_status ask_for_use(const char *path, struct mr_err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat file;
    int fd;

    /* To open and close it would drop a lock of this process. */
    if (stat(path, &file) == 0 && is_held(&file)) {
        lock.l_pid = getpid();
    } else {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return mr_fail(err, MR_UNAVAILABLE, "no state there: %s: %s", path, strerror(errno));
        }
        if (fcntl(fd, F_GETLK, &lock) != 0) {
            lock.l_type = F_UNLCK;
        }
        (void)close(fd);
    }
    return lock.l_type == F_UNLCK
               ? MR_OK
               : mr_fail(err, MR_UNAVAILABLE,
                         "state is in use by process %ld, which must be asked: %s",
                         (long)lock.l_pid, path);
}

enum mr_status rocks_directory_unused(const char *directory_path, struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];
    enum mr_status status;

    MR_TRY(rocks_path(directory_path, "lock", path, err));
    MR_ASSERT(pthread_mutex_lock(&held_lock) == 0);
    status = ask_for_use(path, err);
    MR_ASSERT(pthread_mutex_unlock(&held_lock) == 0);
    return status;
}

void rocks_directory_release(struct rocks_directory **directory)
{
    struct rocks_directory **at = &held;

    if (*directory == NULL) {
        return;
    }
    MR_ASSERT(pthread_mutex_lock(&held_lock) == 0);
    while (*at != *directory) {
        at = &(*at)->next;
    }
    *at = (*directory)->next;
    (void)close((*directory)->lock_fd); /* drops the lock */
    MR_ASSERT(pthread_mutex_unlock(&held_lock) == 0);
    free(*directory);
    *directory = NULL;
}
