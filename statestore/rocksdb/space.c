/*
 * space.c -- spaces as column families: created on demand, wiped by dropping.
 *
 * Why drop: a column family's files are unlinked, which takes milliseconds whatever it holds.
 * Order of a wipe: the metadata first, synced. Killed in between, the space has data but no
 *   offset, which its owner takes for "wipe and restore", so the half-done wipe is done again.
 */
#include "millrace/arena.h"
#include "rocksdb.h"

#include <inttypes.h>
#include <stdlib.h>

void rocks_meta_key(struct mr_buffer *buffer, const struct mr_space *space, struct mr_slice key)
{
    mr_buffer_clear(buffer);
    mr_buffer_append(buffer, space->family, strlen(space->family) + 1);
    mr_buffer_append(buffer, key.data, key.len);
}

struct mr_space *rocks_space_add(struct rocks_backend *backend, const char *family,
                                 rocksdb_column_family_handle_t *handle)
{
    struct mr_space *space = mr_xcalloc(1, sizeof(*space));

    space->family = mr_xstrdup(family);
    space->handle = handle;
    backend->spaces =
        mr_xrealloc(backend->spaces, (backend->space_count + 1) * sizeof(struct mr_space *));
    backend->spaces[backend->space_count++] = space;
    return space;
}

static enum mr_status create_family(struct rocks_backend *backend, const char *family,
                                    rocksdb_column_family_handle_t **handle, struct mr_err *err)
{
    char *error = NULL;

    MR_TRY(rocks_writable(backend, err));
    *handle = rocksdb_create_column_family(backend->db, backend->options, family, &error);
    if (error != NULL) {
        *handle = NULL;
        return rocks_write_fail(backend, err, error, "making a column family");
    }
    return MR_OK;
}

/* With the lock. */
static enum mr_status find_or_create(struct rocks_backend *backend, const char *family,
                                     struct mr_space **space, struct mr_err *err)
{
    rocksdb_column_family_handle_t *handle;

    for (size_t i = 0; i < backend->space_count; i++) {
        if (strcmp(backend->spaces[i]->family, family) == 0) {
            *space = backend->spaces[i];
            return MR_OK;
        }
    }
    if (backend->read_only) {
        return MR_OK;
    }
    MR_TRY(create_family(backend, family, &handle, err));
    *space = rocks_space_add(backend, family, handle);
    return MR_OK;
}

enum mr_status rocks_space_open(struct mr_backend *base, const char *name, int32_t partition,
                                struct mr_space **space, struct mr_err *err)
{
    struct rocks_backend *backend = rocks_backend_of(base);
    struct mr_buffer family = MR_BUFFER_EMPTY;
    enum mr_status status;

    *space = NULL;
    mr_buffer_printf(&family, "%s#%" PRId32, name, partition);
    mr_buffer_append(&family, "", 1);
    MR_ASSERT(pthread_mutex_lock(&backend->lock) == 0);
    status = find_or_create(backend, (const char *)family.data, space, err);
    MR_ASSERT(pthread_mutex_unlock(&backend->lock) == 0);
    mr_buffer_fini(&family);
    return status;
}

/* Its column family stays open, as all do: nothing is to be given back. */
enum mr_status rocks_space_close(struct mr_backend *base, struct mr_space *space,
                                 struct mr_err *err)
{
    (void)rocks_backend_of(base);
    (void)space;
    (void)err;
    return MR_OK;
}

static enum mr_status wipe_meta(struct rocks_backend *backend, const struct mr_space *space,
                                struct mr_err *err)
{
    const size_t bytes = strlen(space->family) + 1;
    rocksdb_writebatch_t *batch;
    char *error = NULL;
    char *end;

    MR_TRY(rocks_writable(backend, err));
    batch = rocksdb_writebatch_create();
    end = mr_xstrdup(space->family);
    end[bytes - 1] = 1; /* <family> 01 is just behind every <family> 00 ... */
    rocksdb_writebatch_delete_range_cf(batch, backend->meta, space->family, bytes, end, bytes);
    rocksdb_write(backend->db, backend->write_synced, batch, &error);
    rocksdb_writebatch_destroy(batch);
    free(end);
    return error == NULL ? MR_OK
                         : rocks_write_fail(backend, err, error, "wiping a space's metadata");
}

static enum mr_status is_empty(struct rocks_backend *backend, const struct mr_space *space,
                               bool *empty, struct mr_err *err)
{
    rocksdb_iterator_t *iterator =
        rocksdb_create_iterator_cf(backend->db, backend->read, space->handle);
    char *error = NULL;

    rocksdb_iter_seek_to_first(iterator);
    *empty = rocksdb_iter_valid(iterator) == 0;
    rocksdb_iter_get_error(iterator, &error);
    rocksdb_iter_destroy(iterator);
    return error == NULL ? MR_OK : rocks_fail(backend, err, error, "looking into a space");
}

enum mr_status rocks_space_wipe(struct mr_backend *base, struct mr_space *space, struct mr_err *err)
{
    struct rocks_backend *backend = rocks_backend_of(base);
    rocksdb_column_family_handle_t *handle;
    char *error = NULL;
    bool empty;

    MR_TRY(wipe_meta(backend, space, err));
    /* A space that was just made is wiped before its first restore: that should cost nothing. */
    if (is_empty(backend, space, &empty, err) == MR_OK && empty) {
        return MR_OK;
    }
    rocksdb_drop_column_family(backend->db, space->handle, &error);
    if (error != NULL) {
        return rocks_write_fail(backend, err, error, "dropping a column family");
    }
    MR_TRY(create_family(backend, space->family, &handle, err));
    rocksdb_column_family_handle_destroy(space->handle);
    space->handle = handle;
    return MR_OK;
}
