/* state_directory.c -- see state_directory.h. */
#include "state_directory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

static char directory[PATH_BYTES];

const char *state_path(const char *name)
{
    static char path[PATH_BYTES * 2];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

void state_prepare(void)
{
    char name[] = "state-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(name));
    /* Two levels that are not there yet: the backend makes them. */
    (void)snprintf(directory, sizeof(directory), "%s/group/0", name);
}

struct mr_backend *state_create(void)
{
    struct mr_backend *opened = NULL;
    struct mr_err err = {0};
    enum mr_status status;

    state_prepare();
    status = state_open(IDENTITY, &opened, &err);
    ck_assert_msg(status == MR_OK, "%s", err.text);
    return opened;
}

enum mr_status state_open(const char *identity, struct mr_backend **opened, struct mr_err *err)
{
    return mr_backend_rocksdb_open(directory, identity, MEMORY_BYTES, opened, err);
}

struct mr_backend *state_reopen(struct mr_backend *opened)
{
    struct mr_err err = {0};
    enum mr_status status;

    mr_backend_close(&opened);
    status = state_open(IDENTITY, &opened, &err);
    ck_assert_msg(status == MR_OK, "%s", err.text);
    return opened;
}

size_t state_each_file(const char *suffix, void (*visit)(const char *path))
{
    const size_t suffix_bytes = strlen(suffix);
    size_t count = 0;
    DIR *listing = opendir(state_path("db"));
    char path[PATH_BYTES * 4];

    if (listing == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        const size_t bytes = strlen(entry->d_name);

        if (entry->d_name[0] != '.' && bytes >= suffix_bytes &&
            strcmp(entry->d_name + bytes - suffix_bytes, suffix) == 0) {
            (void)snprintf(path, sizeof(path), "%s/db/%s", directory, entry->d_name);
            visit(path);
            count++;
        }
    }
    (void)closedir(listing);
    return count;
}

static void remove_file(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

void state_remove(void)
{
    static const char *const files[] = {"identity", "lock"};

    (void)state_each_file("", remove_file);
    (void)rmdir(state_path("db"));
    for (size_t i = 0; i < MR_COUNT(files); i++) {
        (void)unlink(state_path(files[i]));
    }
    /* state-XXXXXX/group/0, from the innermost. */
    for (char *slash = directory + strlen(directory); slash != NULL;
         slash = strrchr(directory, '/')) {
        *slash = '\0';
        ck_assert_int_eq(rmdir(directory), 0);
    }
}

void state_write_file(const char *name, const char *text)
{
    FILE *file = fopen(state_path(name), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}
