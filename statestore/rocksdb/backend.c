/*
 * backend.c -- the backend contract on RocksDB: one database per process, one column family per
 * space, one WriteBatch per transaction.
 *
 * Why one database: only then does one atomic batch span all stores and their offsets, and one
 *   bound covers the memory of all of them.
 * Not: on the path of a record. Hot entries are in the store's cache above this.
 */
#include "millrace/arena.h"
#include "rocksdb.h"

#include <stdlib.h>

struct rocks_backend *rocks_backend_of(struct mr_backend *backend)
{
    return MR_SELF(struct rocks_backend, (struct rocks_backend *)backend, ROCKS_MAGIC);
}

enum mr_status rocks_fail(const struct rocks_backend *backend, struct mr_err *err, char *text,
                          const char *operation)
{
    static const char corruption[] = "Corruption";
    const bool corrupt = strncmp(text, corruption, sizeof(corruption) - 1) == 0;
    const enum mr_status status =
        mr_fail(err, corrupt ? MR_CORRUPT : MR_STORE_IO, "rocksdb: %s: %s", operation, text);

    if (corrupt && !backend->read_only) {
        rocks_mark_corrupt(backend->path, text);
    }
    free(text);
    return status;
}

enum mr_status rocks_write_fail(struct rocks_backend *backend, struct mr_err *err, char *text,
                                const char *operation)
{
    const enum mr_status status = rocks_fail(backend, err, text, operation);

    if (status == MR_CORRUPT) {
        return status;
    }
    atomic_store(&backend->broken, true);
    err->status = MR_RESOURCE;
    return MR_RESOURCE;
}

enum mr_status rocks_writable(struct rocks_backend *backend, struct mr_err *err)
{
    return atomic_load(&backend->broken)
               ? mr_fail(err, MR_RESOURCE, "rocksdb: a write to %s has failed before",
                         backend->path)
               : MR_OK;
}

static enum mr_status read_value(struct rocks_backend *backend,
                                 rocksdb_column_family_handle_t *handle, struct mr_slice key,
                                 struct mr_buffer *value, bool *found, struct mr_err *err)
{
    rocksdb_pinnableslice_t *pinned;
    char *error = NULL;

    *found = false;
    mr_buffer_clear(value);
    pinned = rocksdb_get_pinned_cf(backend->db, backend->read, handle, (const char *)key.data,
                                   key.len, &error);
    if (error != NULL) {
        return rocks_fail(backend, err, error, "reading");
    }
    if (pinned != NULL) {
        size_t bytes;
        const char *data = rocksdb_pinnableslice_value(pinned, &bytes);

        mr_buffer_append(value, data, bytes);
        *found = true;
        rocksdb_pinnableslice_destroy(pinned);
    }
    return MR_OK;
}

static enum mr_status get(struct mr_backend *base, struct mr_space *space, struct mr_slice key,
                          struct mr_buffer *value, bool *found, struct mr_err *err)
{
    return read_value(rocks_backend_of(base), space->handle, key, value, found, err);
}

static enum mr_status meta_get(struct mr_backend *base, struct mr_space *space, struct mr_slice key,
                               struct mr_buffer *value, bool *found, struct mr_err *err)
{
    struct rocks_backend *backend = rocks_backend_of(base);
    struct mr_buffer meta_key = MR_BUFFER_EMPTY;
    enum mr_status status;

    rocks_meta_key(&meta_key, space, key);
    status = read_value(backend, backend->meta, mr_buffer_slice(&meta_key), value, found, err);
    mr_buffer_fini(&meta_key);
    return status;
}

static enum mr_status scan(struct mr_backend *base, struct mr_space *space, struct mr_slice from,
                           struct mr_slice to, mr_space_visit *visit, void *arg, struct mr_err *err)
{
    struct rocks_backend *backend = rocks_backend_of(base);
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *iterator;
    char *error = NULL;

    if (to.len > 0) {
        rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)to.data, to.len);
    }
    iterator = rocksdb_create_iterator_cf(backend->db, options, space->handle);
    if (from.len == 0) {
        rocksdb_iter_seek_to_first(iterator);
    } else {
        rocksdb_iter_seek(iterator, (const char *)from.data, from.len);
    }
    for (; rocksdb_iter_valid(iterator); rocksdb_iter_next(iterator)) {
        size_t key_bytes;
        size_t value_bytes;
        const char *key = rocksdb_iter_key(iterator, &key_bytes);
        const char *value = rocksdb_iter_value(iterator, &value_bytes);

        if (!visit(arg, mr_slice_of(key, key_bytes), mr_slice_of(value, value_bytes))) {
            break;
        }
    }
    rocksdb_iter_get_error(iterator, &error);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return error == NULL ? MR_OK : rocks_fail(backend, err, error, "scanning");
}

/* RocksDB's own guesses: keys in files and memtables, overwritten ones counted again. */
static enum mr_status space_size(struct mr_backend *base, struct mr_space *space,
                                 struct mr_space_size *size, struct mr_err *err)
{
    static const char *const bytes[] = {"rocksdb.estimate-live-data-size",
                                        "rocksdb.cur-size-all-mem-tables"};
    const struct rocks_backend *backend = rocks_backend_of(base);

    *size = (struct mr_space_size){0};
    if (rocksdb_property_int_cf(backend->db, space->handle, "rocksdb.estimate-num-keys",
                                &size->entries) != 0) {
        return mr_fail(err, MR_STORE_IO, "rocksdb: cannot say how much %s holds", space->family);
    }
    for (size_t i = 0; i < MR_COUNT(bytes); i++) {
        uint64_t part = 0;

        (void)rocksdb_property_int_cf(backend->db, space->handle, bytes[i], &part);
        size->bytes += part;
    }
    return MR_OK;
}

static void add_write(rocksdb_writebatch_t *batch, rocksdb_column_family_handle_t *handle,
                      struct mr_slice key, const struct mr_backend_write *write)
{
    const char *bytes = (const char *)key.data;

    if (write->has_value) {
        rocksdb_writebatch_put_cf(batch, handle, bytes, key.len, (const char *)write->value.data,
                                  write->value.len);
    } else {
        rocksdb_writebatch_delete_cf(batch, handle, bytes, key.len);
    }
}

static enum mr_status write_batch(struct mr_backend *base, const struct mr_backend_write *writes,
                                  size_t write_count, const struct mr_backend_write *metas,
                                  size_t meta_count, bool durable, struct mr_err *err)
{
    struct rocks_backend *backend = rocks_backend_of(base);
    struct mr_buffer meta_key = MR_BUFFER_EMPTY;
    rocksdb_writebatch_t *batch;
    char *error = NULL;

    MR_TRY(rocks_writable(backend, err));
    batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < write_count; i++) {
        add_write(batch, writes[i].space->handle, writes[i].key, &writes[i]);
    }
    for (size_t i = 0; i < meta_count; i++) {
        rocks_meta_key(&meta_key, metas[i].space, metas[i].key);
        add_write(batch, backend->meta, mr_buffer_slice(&meta_key), &metas[i]);
    }
    rocksdb_write(backend->db, durable ? backend->write_synced : backend->write, batch, &error);
    mr_buffer_fini(&meta_key);
    rocksdb_writebatch_destroy(batch);
    return error == NULL ? MR_OK : rocks_write_fail(backend, err, error, "writing");
}

static void backend_close(struct mr_backend *base)
{
    struct rocks_backend *backend = rocks_backend_of(base);

    rocks_database_close(backend);
    rocks_directory_release(&backend->directory);
    free(backend->path);
    MR_ASSERT(pthread_mutex_destroy(&backend->lock) == 0);
    backend->magic = 0;
    free(backend);
}

static const struct mr_backend_ops ops = {
    .space_open = rocks_space_open,
    .space_wipe = rocks_space_wipe,
    .space_close = rocks_space_close,
    .get = get,
    .scan = scan,
    .write = write_batch,
    .meta_get = meta_get,
    .space_size = space_size,
    .close = backend_close,
};

static struct rocks_backend *backend_create(const char *directory)
{
    struct rocks_backend *backend = mr_xcalloc(1, sizeof(*backend));

    backend->base.ops = &ops;
    backend->magic = ROCKS_MAGIC;
    backend->path = mr_xstrdup(directory);
    MR_ASSERT(pthread_mutex_init(&backend->lock, NULL) == 0);
    return backend;
}

enum mr_status mr_backend_rocksdb_look(const char *directory, const char *identity,
                                       struct mr_backend **backend, struct mr_err *err)
{
    struct rocks_backend *opened = backend_create(directory);
    char path[ROCKS_PATH_BYTES_MAX];
    enum mr_status status;

    *backend = NULL;
    opened->read_only = true;
    status = rocks_path(directory, "db", path, err);
    if (status == MR_OK) {
        status = rocks_directory_unused(directory, err);
    }
    if (status == MR_OK && rocks_is_marked_corrupt(directory)) {
        status = mr_fail(err, MR_CORRUPT, "%s is damaged: the next start restores it", directory);
    }
    if (status == MR_OK) {
        status = rocks_identity_look(directory, identity, err);
    }
    if (status == MR_OK) {
        status = rocks_database_open(opened, path, 0, err);
    }
    if (status != MR_OK) {
        backend_close(&opened->base);
        return status;
    }
    *backend = &opened->base;
    return MR_OK;
}

enum mr_status mr_backend_rocksdb_open(const char *directory, const char *identity,
                                       int64_t memory_bytes, struct mr_backend **backend,
                                       struct mr_err *err)
{
    struct rocks_backend *opened = backend_create(directory);
    char path[ROCKS_PATH_BYTES_MAX];
    enum mr_status status;

    *backend = NULL;
    status = rocks_path(directory, "db", path, err);
    if (status == MR_OK) {
        status = rocks_directory_take(directory, &opened->directory, err);
    }
    if (status == MR_OK) {
        status = rocks_directory_probe(directory, err);
    }
    if (status == MR_OK) {
        status = rocks_identity_check(directory, identity, err);
    }
    if (status == MR_OK && rocks_is_marked_corrupt(directory)) {
        status = rocks_give_up(directory, path, err);
    }
    if (status == MR_OK) {
        status = rocks_database_open(opened, path, memory_bytes, err);
    }
    if (status == MR_CORRUPT && opened->directory != NULL && rocks_is_marked_corrupt(directory)) {
        rocks_database_close(opened);
        status = rocks_give_up(directory, path, err);
        if (status == MR_OK) {
            status = rocks_database_open(opened, path, memory_bytes, err);
        }
    }
    if (status != MR_OK) {
        backend_close(&opened->base);
        return status;
    }
    *backend = &opened->base;
    return MR_OK;
}
