/*
 * rocksdb.h -- what the files of the RocksDB backend share. The only home of rocksdb/c.h.
 *
 * On disk, under the state directory:
 *   identity   whose state this is and in which format (identity.c)
 *   lock       held by the process that uses it (directory.c)
 *   corrupt    the database is damaged and will not be opened again (corrupt.c)
 *   db/        the database: column family "<stage>.<store>#<partition>" for each space, and
 *              column family "meta" with keys <column family> 00 <key>
 */
#ifndef MILLRACE_STATESTORE_ROCKSDB_H
#define MILLRACE_STATESTORE_ROCKSDB_H

#include "millrace/backend.h"

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>
#include <sys/types.h>

#define ROCKS_MAGIC 0x53424B52u
#define ROCKS_PATH_BYTES_MAX ((size_t)4096)
#define ROCKS_FORMAT 1 /* of everything above */

/* A space is a column family; it stays open, and in the list, as long as the database. */
struct mr_space {
    char *family;
    rocksdb_column_family_handle_t *handle;
};

/* A state directory that this process holds. */
struct rocks_directory {
    int lock_fd;
    dev_t device;
    ino_t inode;
    struct rocks_directory *next; /* of all that this process holds */
};

struct rocks_backend {
    struct mr_backend base;
    uint32_t magic;
    struct rocks_directory *directory;
    rocksdb_t *db;
    rocksdb_options_t *options; /* of the database and of every column family */
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write;
    rocksdb_writeoptions_t *write_synced;
    rocksdb_column_family_handle_t *unused; /* "default", which every database has */
    rocksdb_column_family_handle_t *meta;
    char *path;           /* of the state directory */
    bool read_only;       /* nothing is made, written or remembered */
    atomic_bool broken;   /* a write has failed: see rocks_write_fail */
    pthread_mutex_t lock; /* protects spaces and space_count */
    struct mr_space **spaces;
    size_t space_count;
};

struct rocks_backend *rocks_backend_of(struct mr_backend *backend);

/*
 * Takes RocksDB's error text over: MR_CORRUPT or MR_STORE_IO, saying what was done. Damage is
 * remembered: the next opening begins with an empty database.
 */
MR_NODISCARD enum mr_status rocks_fail(const struct rocks_backend *backend, struct mr_err *err,
                                       char *text, const char *operation);

/*
 * The same of something that should have been written. MR_RESOURCE when it was not for damage: the
 * disk is full or failing. RocksDB is not asked for anything more that writes, closing included: a
 * library that was built with assertions, as distributions do, aborts when a file that failed is
 * written again. The process ends; the next one replays what RocksDB's log has.
 */
MR_NODISCARD enum mr_status rocks_write_fail(struct rocks_backend *backend, struct mr_err *err,
                                             char *text, const char *operation);
/* MR_RESOURCE once a write has failed. */
MR_NODISCARD enum mr_status rocks_writable(struct rocks_backend *backend, struct mr_err *err);

/* ---- directory.c ------------------------------------------------------------------------------
 */

/* "directory/name"; MR_CONFIG when it is too long. */
MR_NODISCARD enum mr_status rocks_path(const char *directory, const char *name,
                                       char path[ROCKS_PATH_BYTES_MAX], struct mr_err *err);
/* Makes the directory when it is absent and takes its lock: MR_FOREIGN_STATE with the holder's pid.
 */
MR_NODISCARD enum mr_status
rocks_directory_take(const char *path, struct rocks_directory **directory, struct mr_err *err);
void rocks_directory_release(struct rocks_directory **directory);
/* MR_UNAVAILABLE when there is no such directory, or a living process holds it. Takes nothing. */
MR_NODISCARD enum mr_status rocks_directory_unused(const char *path, struct mr_err *err);
/* MR_RESOURCE when the disk takes nothing: RocksDB would abort over it. */
MR_NODISCARD enum mr_status rocks_directory_probe(const char *path, struct mr_err *err);

/* ---- identity.c -------------------------------------------------------------------------------
 */

/* Checks the identity of the directory, or gives it one when there is no state yet. */
MR_NODISCARD enum mr_status rocks_identity_check(const char *directory, const char *identity,
                                                 struct mr_err *err);

/* The same, but a directory without one is MR_UNAVAILABLE. */
MR_NODISCARD enum mr_status rocks_identity_look(const char *directory, const char *identity,
                                                struct mr_err *err);

/* ---- corrupt.c --------------------------------------------------------------------------------
 */

/* The state in the directory is damaged; said once. */
void rocks_mark_corrupt(const char *directory, const char *text);
bool rocks_is_marked_corrupt(const char *directory);
/* The files of a flat directory, as a database is one; nothing when there is none. */
MR_NODISCARD enum mr_status rocks_remove_files(const char *path, struct mr_err *err);
/* Throws the database away, and the mark with it. Nobody has it open. */
MR_NODISCARD enum mr_status rocks_give_up(const char *directory, const char *database,
                                          struct mr_err *err);

/* ---- database.c -------------------------------------------------------------------------------
 */

/* Opens the database with all column families that it has; as backend->read_only says. */
MR_NODISCARD enum mr_status rocks_database_open(struct rocks_backend *backend, const char *path,
                                                int64_t memory_bytes, struct mr_err *err);
void rocks_database_close(struct rocks_backend *backend);

/* ---- space.c ----------------------------------------------------------------------------------
 */

/* Adds an open column family to the list; takes handle over. */
struct mr_space *rocks_space_add(struct rocks_backend *backend, const char *family,
                                 rocksdb_column_family_handle_t *handle);
MR_NODISCARD enum mr_status rocks_space_open(struct mr_backend *, const char *, int32_t,
                                             struct mr_space **, struct mr_err *);
MR_NODISCARD enum mr_status rocks_space_wipe(struct mr_backend *, struct mr_space *,
                                             struct mr_err *);
MR_NODISCARD enum mr_status rocks_space_close(struct mr_backend *, struct mr_space *,
                                              struct mr_err *);
/* <column family> 00 <key>: where the metadata of a space stands. */
void rocks_meta_key(struct mr_buffer *buffer, const struct mr_space *space, struct mr_slice key);

#endif
