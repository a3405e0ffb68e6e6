/*
 * database.c -- RocksDB's options, opening and closing.
 *
 * Options, and why:
 *   memory         two thirds block cache (index and filter blocks inside it), one third memtables
 *                  of all column families together; small arena blocks, so that hundreds of column
 *                  families with a few keys each do not fill that bound with air.
 *   WAL            always written, synced only for durable batches: a killed process loses nothing,
 *                  a lost machine loses the last batches whole. Recovery stops at the first torn
 *                  batch: the state is then older, which the changelog makes good. Kept short:
 *                  after a kill all of it is replayed before anything else can begin.
 *   LOG            in memory and without a name: RocksDB, built with assertions as distributions
 * do, aborts when it cannot write to it, which on a full disk is always. What matters comes back as
 * a status. paranoid       checks on: a corrupt block must be an error, never an answer.
 */
#include "millrace/arena.h"
#include "rocksdb.h"

#include <stdlib.h>
#include <unistd.h>

#define MEMORY_BYTES_MIN INT64_C(8388608)
#define ARENA_BLOCK_BYTES ((size_t)32 * 1024)
#define WAL_BYTES_MAX UINT64_C(16777216)
#define LOG_LEVEL_FATAL 4
#define LOG_DIRECTORY "/dev/shm/millrace-XXXXXX"
#define BLOOM_BITS 10.0
#define OPEN_FILES_MAX 512
#define META_FAMILY "meta"
#define DEFAULT_FAMILY "default"

static void set_tables(rocksdb_options_t *options, size_t cache_bytes)
{
    rocksdb_block_based_table_options_t *tables = rocksdb_block_based_options_create();
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(cache_bytes);

    rocksdb_block_based_options_set_block_cache(tables, cache);
    /* Outside the cache: a filter that falls out of a small cache is read again for every key. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(tables, 0);
    rocksdb_block_based_options_set_filter_policy(tables,
                                                  rocksdb_filterpolicy_create_bloom(BLOOM_BITS));
    rocksdb_options_set_block_based_table_factory(options, tables);
    rocksdb_block_based_options_destroy(tables);
    rocksdb_cache_destroy(cache); /* the options hold it */
}

static rocksdb_options_t *make_options(int64_t memory_bytes)
{
    const size_t bytes =
        (size_t)(memory_bytes < MEMORY_BYTES_MIN ? MEMORY_BYTES_MIN : memory_bytes);
    rocksdb_options_t *options = rocksdb_options_create();

    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_db_write_buffer_size(options, bytes / 3);
    rocksdb_options_set_write_buffer_size(options, bytes / 6);
    rocksdb_options_set_arena_block_size(options, ARENA_BLOCK_BYTES);
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES_MAX);
    rocksdb_options_set_wal_recovery_mode(options, rocksdb_point_in_time_recovery);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
    rocksdb_options_set_max_background_jobs(options, 2);
    /* By default sixteen threads for each column family: they cost more than the few files. */
    rocksdb_options_set_max_file_opening_threads(options, 1);
    rocksdb_options_set_info_log_level(options, LOG_LEVEL_FATAL);
    rocksdb_options_set_max_log_file_size(options, 0); /* never another one */
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    set_tables(options, bytes - bytes / 3);
    return options;
}

static bool has_name(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The names of all column families to open; the caller frees each and the list. */
static char **list_families(const rocksdb_options_t *options, const char *path, size_t *count)
{
    char *error = NULL;
    size_t found = 0;
    char **existing = rocksdb_list_column_families(options, path, &found, &error);
    char **names = mr_xcalloc(found + 2, sizeof(char *));

    free(error); /* no database yet, or one that opening reports better */
    *count = 0;
    if (existing != NULL) {
        for (size_t i = 0; i < found; i++) {
            names[(*count)++] = mr_xstrdup(existing[i]);
        }
        rocksdb_list_column_families_destroy(existing, found);
    }
    if (!has_name(names, *count, DEFAULT_FAMILY)) {
        names[(*count)++] = mr_xstrdup(DEFAULT_FAMILY);
    }
    if (!has_name(names, *count, META_FAMILY)) {
        names[(*count)++] = mr_xstrdup(META_FAMILY);
    }
    return names;
}

static void keep_handle(struct rocks_backend *backend, const char *name,
                        rocksdb_column_family_handle_t *handle)
{
    if (strcmp(name, META_FAMILY) == 0) {
        backend->meta = handle;
    } else if (strcmp(name, DEFAULT_FAMILY) == 0) {
        backend->unused = handle;
    } else {
        (void)rocks_space_add(backend, name, handle);
    }
}

static enum mr_status open_families(struct rocks_backend *backend, const char *path, char **names,
                                    size_t count, struct mr_err *err)
{
    const rocksdb_options_t **options = mr_xcalloc(count, sizeof(rocksdb_options_t *));
    rocksdb_column_family_handle_t **handles =
        mr_xcalloc(count, sizeof(rocksdb_column_family_handle_t *));
    enum mr_status status = MR_OK;
    char *error = NULL;

    for (size_t i = 0; i < count; i++) {
        options[i] = backend->options;
    }
    backend->db =
        backend->read_only
            ? rocksdb_open_for_read_only_column_families(backend->options, path, (int)count,
                                                         (const char *const *)names, options,
                                                         handles, 0, &error)
            : rocksdb_open_column_families(backend->options, path, (int)count,
                                           (const char *const *)names, options, handles, &error);
    if (error != NULL) {
        backend->db = NULL;
        status = rocks_fail(backend, err, error, "opening the state");
    } else {
        for (size_t i = 0; i < count; i++) {
            keep_handle(backend, names[i], handles[i]);
        }
    }
    free(handles);
    free(options);
    return status;
}

/* The LOG stays open without its name. Where there is no such directory it is beside the database.
 */
static void forget_log(const char *directory)
{
    struct mr_err ignored;

    if (rocks_remove_files(directory, &ignored) == MR_OK) {
        (void)rmdir(directory);
    }
}

enum mr_status rocks_database_open(struct rocks_backend *backend, const char *path,
                                   int64_t memory_bytes, struct mr_err *err)
{
    char log_directory[] = LOG_DIRECTORY;
    const bool log_in_memory = mkdtemp(log_directory) != NULL;
    enum mr_status status;
    char **names;
    size_t count;

    backend->options = make_options(memory_bytes);
    rocksdb_options_set_create_if_missing(backend->options, !backend->read_only);
    rocksdb_options_set_create_missing_column_families(backend->options, !backend->read_only);
    if (log_in_memory) {
        rocksdb_options_set_db_log_dir(backend->options, log_directory);
    }
    backend->read = rocksdb_readoptions_create();
    backend->write = rocksdb_writeoptions_create();
    backend->write_synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(backend->write_synced, 1);
    names = list_families(backend->options, path, &count);
    status = open_families(backend, path, names, count, err);
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    if (log_in_memory) {
        forget_log(log_directory);
    }
    return status;
}

void rocks_database_close(struct rocks_backend *backend)
{
    if (atomic_load(&backend->broken)) {
        return; /* the process ends: see rocks_write_fail */
    }
    for (size_t i = 0; i < backend->space_count; i++) {
        rocksdb_column_family_handle_destroy(backend->spaces[i]->handle);
        free(backend->spaces[i]->family);
        free(backend->spaces[i]);
    }
    free(backend->spaces);
    backend->spaces = NULL;
    backend->space_count = 0;
    if (backend->db != NULL) {
        rocksdb_column_family_handle_destroy(backend->meta);
        rocksdb_column_family_handle_destroy(backend->unused);
        rocksdb_close(backend->db);
        backend->db = NULL;
    }
    if (backend->options != NULL) {
        rocksdb_writeoptions_destroy(backend->write_synced);
        rocksdb_writeoptions_destroy(backend->write);
        rocksdb_readoptions_destroy(backend->read);
        rocksdb_options_destroy(backend->options);
        backend->options = NULL;
    }
}
