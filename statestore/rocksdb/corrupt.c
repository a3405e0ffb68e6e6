/*
 * corrupt.c -- a database that is damaged is given up, never served.
 *
 * Why: the changelog has everything. What a checksum, a truncated file or a failed compaction has
 *      shown to be damaged is not worth mending, and must not be found usable by the next start.
 * How: the first error of that kind puts the file `corrupt` with its text beside the database, so
 *      that it is remembered over a crash. An opening that finds the file, or the damage itself,
 *      throws the database away, says so, and begins with an empty one, which is then restored.
 */
#include "millrace/logger.h"
#include "rocksdb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK "corrupt"

void rocks_mark_corrupt(const char *directory, const char *text)
{
    char path[ROCKS_PATH_BYTES_MAX];
    struct mr_err err;
    int fd;

    if (rocks_path(directory, MARK, path, &err) != MR_OK) {
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return; /* said before; or the disk takes nothing, and the damage will be found again */
    }
    mr_error("state_corrupt", "directory=%s error=\"%s\"", directory, text);
    if (write(fd, text, strlen(text)) < 0 || fsync(fd) != 0) {
        mr_warn("state_corrupt_mark", "directory=%s error=\"%s\"", directory, strerror(errno));
    }
    (void)close(fd);
}

bool rocks_is_marked_corrupt(const char *directory)
{
    char path[ROCKS_PATH_BYTES_MAX];
    struct mr_err err;

    return rocks_path(directory, MARK, path, &err) == MR_OK && access(path, F_OK) == 0;
}

enum mr_status rocks_remove_files(const char *path, struct mr_err *err)
{
    DIR *files = opendir(path);
    const struct dirent *entry;

    if (files == NULL) {
        return errno == ENOENT
                   ? MR_OK
                   : mr_fail(err, MR_STORE_IO, "cannot read %s: %s", path, strerror(errno));
    }
    while ((entry = readdir(files)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (unlinkat(dirfd(files), entry->d_name, 0) != 0) {
            const int code = errno;

            (void)closedir(files);
            return mr_fail(err, MR_STORE_IO, "cannot remove %s/%s: %s", path, entry->d_name,
                           strerror(code));
        }
    }
    (void)fsync(dirfd(files));
    (void)closedir(files);
    return MR_OK;
}

enum mr_status rocks_give_up(const char *directory, const char *database, struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];

    mr_warn("state_given_up", "directory=%s", directory);
    MR_TRY(rocks_remove_files(database, err));
    MR_TRY(rocks_path(directory, MARK, path, err));
    if (unlink(path) != 0 && errno != ENOENT) {
        return mr_fail(err, MR_STORE_IO, "cannot remove %s: %s", path, strerror(errno));
    }
    return MR_OK;
}
