/* replay_sandbox.c -- see replay_sandbox.h. */
#include "replay_sandbox.h"

#include "millrace/arena.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct replay_sandbox {
    char *directory;
    int64_t memory_bytes;
};

/* Made by us, or empty: what is in it is ours to delete. */
static enum mr_status make(const char *directory, struct mr_err *err)
{
    if (mkdir(directory, 0700) == 0 ||
        (errno == EEXIST && rmdir(directory) == 0 && mkdir(directory, 0700) == 0)) {
        return MR_OK;
    }
    return mr_fail(err, MR_CONFIG, "--sandbox %s: %s", directory, strerror(errno));
}

enum mr_status replay_sandbox_create(const char *directory, int64_t memory_bytes,
                                     struct replay_sandbox **out, struct mr_err *err)
{
    struct replay_sandbox *sandbox = mr_xcalloc(1, sizeof(*sandbox));
    const char *parent = getenv("TMPDIR");
    char path[4096];

    sandbox->memory_bytes = memory_bytes;
    if (directory[0] != '\0') {
        const enum mr_status status = make(directory, err);

        if (status != MR_OK) {
            free(sandbox);
            return status;
        }
        sandbox->directory = mr_xstrdup(directory);
    } else {
        (void)snprintf(path, sizeof(path), "%s/millrace-replay-XXXXXX",
                       parent == NULL || parent[0] == '\0' ? "/tmp" : parent);
        if (mkdtemp(path) == NULL) {
            free(sandbox);
            return mr_fail(err, MR_RESOURCE, "%s: %s", path, strerror(errno));
        }
        sandbox->directory = mr_xstrdup(path);
    }
    *out = sandbox;
    return MR_OK;
}

enum mr_status replay_sandbox_backend(void *arg, size_t group, struct mr_backend **backend,
                                      struct mr_err *err)
{
    const struct replay_sandbox *sandbox = arg;
    char path[4200];

    (void)snprintf(path, sizeof(path), "%s/%zu", sandbox->directory, group);
    return mr_backend_rocksdb_open(path, "replay", sandbox->memory_bytes, backend, err);
}

static void delete_all(const char *directory)
{
    char *const paths[] = {(char *)(uintptr_t)directory, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info != FTS_D && remove(entry->fts_accpath) != 0) {
            (void)fprintf(stderr, "millrace replay: %s: %s\n", entry->fts_accpath, strerror(errno));
        }
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
}

void replay_sandbox_destroy(struct replay_sandbox **out)
{
    struct replay_sandbox *sandbox = *out;

    if (sandbox == NULL) {
        return;
    }
    delete_all(sandbox->directory);
    free(sandbox->directory);
    free(sandbox);
    *out = NULL;
}
