/*
 * backend.c -- the backend contract in memory: for tests and `make try`.
 *
 * Why: the runtime's state rules must run without a disk. What is written here is gone when the
 *   process ends; nothing else differs.
 * Thread: the list of spaces is locked; a space belongs to one thread, so its tables are not.
 */
#include "millrace/backend.h"

#include "millrace/arena.h"
#include "table.h"

#include <pthread.h>
#include <stdlib.h>

#define MAGIC 0x53424D42u

struct mr_space {
    char *name;
    int32_t partition;
    struct table *data;
    struct table *meta;
};

struct memory_backend {
    struct mr_backend base;
    uint32_t magic;
    pthread_mutex_t lock; /* protects spaces and space_count */
    struct mr_space **spaces;
    size_t space_count;
};

static struct memory_backend *backend_of(struct mr_backend *backend)
{
    return MR_SELF(struct memory_backend, (struct memory_backend *)backend, MAGIC);
}

static struct mr_space *space_add(struct memory_backend *backend, const char *name,
                                  int32_t partition)
{
    struct mr_space *space = mr_xcalloc(1, sizeof(*space));

    space->name = mr_xstrdup(name);
    space->partition = partition;
    space->data = table_create();
    space->meta = table_create();
    backend->spaces =
        mr_xrealloc(backend->spaces, (backend->space_count + 1) * sizeof(struct mr_space *));
    backend->spaces[backend->space_count++] = space;
    return space;
}

static enum mr_status space_open(struct mr_backend *base, const char *name, int32_t partition,
                                 struct mr_space **space, struct mr_err *err)
{
    struct memory_backend *backend = backend_of(base);

    (void)err;
    *space = NULL;
    MR_ASSERT(pthread_mutex_lock(&backend->lock) == 0);
    for (size_t i = 0; i < backend->space_count && *space == NULL; i++) {
        if (backend->spaces[i]->partition == partition &&
            strcmp(backend->spaces[i]->name, name) == 0) {
            *space = backend->spaces[i];
        }
    }
    if (*space == NULL) {
        *space = space_add(backend, name, partition);
    }
    MR_ASSERT(pthread_mutex_unlock(&backend->lock) == 0);
    return MR_OK;
}

static enum mr_status space_wipe(struct mr_backend *base, struct mr_space *space,
                                 struct mr_err *err)
{
    (void)backend_of(base);
    (void)err;
    table_clear(space->data);
    table_clear(space->meta);
    return MR_OK;
}

/* Like a file that is closed: its content stays. */
static enum mr_status space_close(struct mr_backend *base, struct mr_space *space,
                                  struct mr_err *err)
{
    (void)backend_of(base);
    (void)space;
    (void)err;
    return MR_OK;
}

static void table_read(const struct table *table, struct mr_slice key, struct mr_buffer *value,
                       bool *found)
{
    const struct table_node *node = table_seek(table, key);

    mr_buffer_clear(value);
    *found = node != NULL && mr_slice_equal(table_key(node), key);
    if (*found) {
        const struct mr_slice bytes = table_value(node);

        mr_buffer_append(value, bytes.data, bytes.len);
    }
}

static enum mr_status get(struct mr_backend *base, struct mr_space *space, struct mr_slice key,
                          struct mr_buffer *value, bool *found, struct mr_err *err)
{
    (void)backend_of(base);
    (void)err;
    table_read(space->data, key, value, found);
    return MR_OK;
}

static enum mr_status meta_get(struct mr_backend *base, struct mr_space *space, struct mr_slice key,
                               struct mr_buffer *value, bool *found, struct mr_err *err)
{
    (void)backend_of(base);
    (void)err;
    table_read(space->meta, key, value, found);
    return MR_OK;
}

static enum mr_status scan(struct mr_backend *base, struct mr_space *space, struct mr_slice from,
                           struct mr_slice to, mr_space_visit *visit, void *arg, struct mr_err *err)
{
    const struct table_node *node = table_seek(space->data, from);

    (void)backend_of(base);
    (void)err;
    while (node != NULL && (to.len == 0 || mr_slice_compare(table_key(node), to) < 0)) {
        if (!visit(arg, table_key(node), table_value(node))) {
            break;
        }
        node = table_next(node);
    }
    return MR_OK;
}

static enum mr_status space_size(struct mr_backend *base, struct mr_space *space,
                                 struct mr_space_size *size, struct mr_err *err)
{
    const struct mr_slice first = {0};

    (void)backend_of(base);
    (void)err;
    *size = (struct mr_space_size){0};
    for (const struct table_node *node = table_seek(space->data, first); node != NULL;
         node = table_next(node)) {
        size->entries++;
        size->bytes += table_key(node).len + table_value(node).len;
    }
    return MR_OK;
}

static void apply(struct table *table, const struct mr_backend_write *write)
{
    if (write->has_value) {
        table_put(table, write->key, write->value);
    } else {
        table_delete(table, write->key);
    }
}

static enum mr_status write_batch(struct mr_backend *base, const struct mr_backend_write *writes,
                                  size_t write_count, const struct mr_backend_write *metas,
                                  size_t meta_count, bool durable, struct mr_err *err)
{
    (void)backend_of(base);
    (void)durable;
    (void)err;
    for (size_t i = 0; i < write_count; i++) {
        apply(writes[i].space->data, &writes[i]);
    }
    for (size_t i = 0; i < meta_count; i++) {
        apply(metas[i].space->meta, &metas[i]);
    }
    return MR_OK;
}

static void backend_close(struct mr_backend *base)
{
    struct memory_backend *backend = backend_of(base);

    for (size_t i = 0; i < backend->space_count; i++) {
        struct mr_space *space = backend->spaces[i];

        table_destroy(&space->data);
        table_destroy(&space->meta);
        free(space->name);
        free(space);
    }
    free(backend->spaces);
    MR_ASSERT(pthread_mutex_destroy(&backend->lock) == 0);
    backend->magic = 0;
    free(backend);
}

static const struct mr_backend_ops ops = {
    .space_open = space_open,
    .space_wipe = space_wipe,
    .space_close = space_close,
    .get = get,
    .scan = scan,
    .write = write_batch,
    .meta_get = meta_get,
    .space_size = space_size,
    .close = backend_close,
};

struct mr_backend *mr_backend_memory_create(void)
{
    struct memory_backend *backend = mr_xcalloc(1, sizeof(*backend));

    backend->base.ops = &ops;
    backend->magic = MAGIC;
    MR_ASSERT(pthread_mutex_init(&backend->lock, NULL) == 0);
    return &backend->base;
}
