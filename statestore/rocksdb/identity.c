/*
 * identity.c -- whose state a directory holds, and in which format.
 *
 * Why: state applied to another application's topics, or read by an older program, is silently
 *   wrong. So the directory says what it is, and anything else is refused before the database is
 *   opened.
 * Format of the file `identity`, text:
 *     millrace-state 1
 *     crypto-oms.market
 * It is written before the database is made, to the side and then renamed, so that it is either
 * there whole or not at all; a database without it is nobody's that we know.
 */
#include "rocksdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD "millrace-state "
#define TEXT_BYTES_MAX ((size_t)1024)
#define IDENTITY_BYTES_MAX ((size_t)900)

static enum mr_status fail_io(struct mr_err *err, const char *what, const char *path)
{
    return mr_fail(err, MR_STORE_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum mr_status write_synced(const char *path, const char *text, struct mr_err *err)
{
    const size_t bytes = strlen(text);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool written;

    if (fd < 0) {
        return fail_io(err, "open", path);
    }
    written = write(fd, text, bytes) == (ssize_t)bytes && fsync(fd) == 0;
    if (close(fd) != 0 || !written) {
        return fail_io(err, "write", path);
    }
    return MR_OK;
}

static enum mr_status sync_directory(const char *path, struct mr_err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool synced;

    if (fd < 0) {
        return fail_io(err, "open", path);
    }
    synced = fsync(fd) == 0;
    (void)close(fd);
    return synced ? MR_OK : fail_io(err, "sync", path);
}

static enum mr_status create(const char *directory, const char *path, const char *identity,
                             struct mr_err *err)
{
    char side[ROCKS_PATH_BYTES_MAX];
    char text[TEXT_BYTES_MAX];
    struct stat database;

    MR_TRY(rocks_path(directory, "db", side, err));
    if (stat(side, &database) == 0) {
        return mr_fail(err, MR_FOREIGN_STATE, "%s is a database, but %s does not say whose", side,
                       path);
    }
    MR_TRY(rocks_path(directory, "identity.new", side, err));
    (void)snprintf(text, sizeof(text), WORD "%d\n%s\n", ROCKS_FORMAT, identity);
    MR_TRY(write_synced(side, text, err));
    if (rename(side, path) != 0) {
        return fail_io(err, "rename", side);
    }
    return sync_directory(directory, err);
}

/* text: what the file holds, NUL-terminated; changed. */
static enum mr_status compare(char *text, const char *path, const char *identity,
                              struct mr_err *err)
{
    char *line_end = strchr(text, '\n');
    char *number_end;
    long format;

    if (strncmp(text, WORD, strlen(WORD)) != 0 || line_end == NULL) {
        return mr_fail(err, MR_CORRUPT, "%s is not readable", path);
    }
    format = strtol(text + strlen(WORD), &number_end, 10);
    if (number_end != line_end || format < 1) {
        return mr_fail(err, MR_CORRUPT, "%s is not readable", path);
    }
    if (format != ROCKS_FORMAT) {
        return mr_fail(err, MR_FOREIGN_STATE, "%s: format %ld, this program knows %d", path, format,
                       ROCKS_FORMAT);
    }
    text = line_end + 1;
    line_end = strchr(text, '\n');
    if (line_end == NULL || line_end[1] != '\0') {
        return mr_fail(err, MR_CORRUPT, "%s is not readable", path);
    }
    *line_end = '\0';
    if (strcmp(text, identity) != 0) {
        return mr_fail(err, MR_FOREIGN_STATE, "%s: state of %s, not of %s", path, text, identity);
    }
    return MR_OK;
}

/* *missing: nobody has said yet whose the directory is. */
static enum mr_status check(const char *directory, const char *identity,
                            char path[ROCKS_PATH_BYTES_MAX], bool *missing, struct mr_err *err)
{
    char text[TEXT_BYTES_MAX];
    ssize_t bytes;
    int fd;

    *missing = false;
    if (strlen(identity) > IDENTITY_BYTES_MAX || strchr(identity, '\n') != NULL) {
        return mr_fail(err, MR_CONFIG, "not an identity of state: '%s'", identity);
    }
    MR_TRY(rocks_path(directory, "identity", path, err));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *missing = errno == ENOENT;
        return *missing ? MR_OK : fail_io(err, "open", path);
    }
    bytes = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (bytes < 0) {
        return fail_io(err, "read", path);
    }
    text[bytes] = '\0';
    return compare(text, path, identity, err);
}

enum mr_status rocks_identity_check(const char *directory, const char *identity, struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];
    bool missing;

    MR_TRY(check(directory, identity, path, &missing, err));
    return missing ? create(directory, path, identity, err) : MR_OK;
}

enum mr_status rocks_identity_look(const char *directory, const char *identity, struct mr_err *err)
{
    char path[ROCKS_PATH_BYTES_MAX];
    bool missing;

    MR_TRY(check(directory, identity, path, &missing, err));
    return missing ? mr_fail(err, MR_UNAVAILABLE, "%s holds no state", directory) : MR_OK;
}
