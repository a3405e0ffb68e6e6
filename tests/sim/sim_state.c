/* sim_state.c -- see sim_state.h: a wrapper around the backend in memory. */
#include "sim_state.h"

#include "millrace/arena.h"

#include <stdlib.h>

#define MAGIC 0x53494D53u
#define ARENA_BYTES ((size_t)64 * 1024)

/* Ours: the inner backend's own stands behind it. */
struct mr_space {
    char *name;
    int32_t partition;
    struct mr_space *inner;
};

enum kind { WRITE, WRITE_META, WIPE };

/* One of the writes of a batch, or a wipe. */
struct change {
    enum kind kind;
    size_t batch;
    struct mr_backend_write write; /* of our space */
};

struct fault {
    int countdown; /* 0: none */
    enum mr_status status;
    bool done;
};

struct sim_state {
    struct mr_backend base;
    uint32_t magic;
    struct mr_backend *inner;
    struct mr_space **spaces;
    size_t space_count;
    struct change *changes;
    size_t change_count, change_capacity;
    size_t batches;
    struct mr_arena *arena; /* of changes */
    struct fault faults[SIM_STATE_CALLS];
};

static struct sim_state *state_of(struct mr_backend *base)
{
    return MR_SELF(struct sim_state, (struct sim_state *)base, MAGIC);
}

static bool is_due(struct sim_state *state, enum sim_state_call call, struct fault *fault)
{
    struct fault *planned = &state->faults[call];

    *fault = *planned;
    return planned->countdown > 0 && --planned->countdown == 0;
}

static enum mr_status fail(const struct fault *fault, struct mr_err *err)
{
    return mr_fail(err, fault->status, "state: told to fail, %s",
                   fault->done ? "after the effect" : "without effect");
}

/* ---- spaces ---------------------------------------------------------------------------------- */

static enum mr_status space_open(struct mr_backend *base, const char *name, int32_t partition,
                                 struct mr_space **space, struct mr_err *err)
{
    struct sim_state *state = state_of(base);
    struct mr_space *added;

    for (size_t i = 0; i < state->space_count; i++) {
        *space = state->spaces[i];
        if ((*space)->partition == partition && strcmp((*space)->name, name) == 0) {
            return MR_OK;
        }
    }
    added = mr_xcalloc(1, sizeof(*added));
    added->name = mr_xstrdup(name);
    added->partition = partition;
    MR_TRY(state->inner->ops->space_open(state->inner, name, partition, &added->inner, err));
    state->spaces =
        mr_xrealloc(state->spaces, (state->space_count + 1) * sizeof(struct mr_space *));
    state->spaces[state->space_count++] = added;
    *space = added;
    return MR_OK;
}

static void note(struct sim_state *state, enum kind kind, const struct mr_backend_write *write)
{
    struct change *change;

    if (state->change_count == state->change_capacity) {
        state->change_capacity = state->change_capacity == 0 ? 256 : state->change_capacity * 2;
        state->changes =
            mr_xrealloc(state->changes, state->change_capacity * sizeof(*state->changes));
    }
    change = &state->changes[state->change_count++];
    *change = (struct change){.kind = kind, .batch = state->batches, .write = *write};
    change->write.key = mr_arena_copy(state->arena, write->key);
    change->write.value = mr_arena_copy(state->arena, write->value);
}

static enum mr_status space_wipe(struct mr_backend *base, struct mr_space *space,
                                 struct mr_err *err)
{
    struct sim_state *state = state_of(base);

    state->batches++;
    note(state, WIPE, &(struct mr_backend_write){.space = space});
    return state->inner->ops->space_wipe(state->inner, space->inner, err);
}

static enum mr_status space_close(struct mr_backend *base, struct mr_space *space,
                                  struct mr_err *err)
{
    (void)state_of(base);
    (void)space;
    (void)err;
    return MR_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum mr_status get(struct mr_backend *base, struct mr_space *space, struct mr_slice key,
                          struct mr_buffer *value, bool *found, struct mr_err *err)
{
    struct sim_state *state = state_of(base);
    struct fault fault;

    if (is_due(state, SIM_STATE_READ, &fault)) {
        return fail(&fault, err);
    }
    return state->inner->ops->get(state->inner, space->inner, key, value, found, err);
}

static enum mr_status meta_get(struct mr_backend *base, struct mr_space *space, struct mr_slice key,
                               struct mr_buffer *value, bool *found, struct mr_err *err)
{
    struct sim_state *state = state_of(base);
    struct fault fault;

    if (is_due(state, SIM_STATE_READ, &fault)) {
        return fail(&fault, err);
    }
    return state->inner->ops->meta_get(state->inner, space->inner, key, value, found, err);
}

static enum mr_status scan(struct mr_backend *base, struct mr_space *space, struct mr_slice from,
                           struct mr_slice to, mr_space_visit *visit, void *arg, struct mr_err *err)
{
    struct sim_state *state = state_of(base);
    struct fault fault;
    const bool due = is_due(state, SIM_STATE_READ, &fault);

    if (due && !fault.done) {
        return fail(&fault, err);
    }
    MR_TRY(state->inner->ops->scan(state->inner, space->inner, from, to, visit, arg, err));
    return due ? fail(&fault, err) : MR_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(struct sim_state *state, const struct mr_backend_write *list, size_t count,
                bool meta)
{
    struct mr_backend_write *inner = mr_xcalloc(count, sizeof(*inner));
    struct mr_err err;

    for (size_t i = 0; i < count; i++) {
        inner[i] = list[i];
        inner[i].space = list[i].space->inner;
    }
    MR_ASSERT(state->inner->ops->write(state->inner, meta ? NULL : inner, meta ? 0 : count,
                                       meta ? inner : NULL, meta ? count : 0, false,
                                       &err) == MR_OK);
    free(inner);
}

static enum mr_status write_batch(struct mr_backend *base, const struct mr_backend_write *writes,
                                  size_t write_count, const struct mr_backend_write *metas,
                                  size_t meta_count, bool durable, struct mr_err *err)
{
    struct sim_state *state = state_of(base);
    struct fault fault;
    const bool due = is_due(state, SIM_STATE_WRITE, &fault);

    if (due && !fault.done) {
        return fail(&fault, err);
    }
    state->batches++;
    for (size_t i = 0; i < write_count; i++) {
        note(state, WRITE, &writes[i]);
    }
    for (size_t i = 0; i < meta_count; i++) {
        note(state, WRITE_META, &metas[i]);
    }
    put(state, writes, write_count, false);
    put(state, metas, meta_count, true);
    if (durable) {
        state->batches = 0; /* what was synced cannot be forgotten */
        for (size_t i = 0; i < state->change_count; i++) {
            state->changes[i].batch = 0;
        }
    }
    return due ? fail(&fault, err) : MR_OK;
}

static void state_close(struct mr_backend *base)
{
    struct sim_state *state = state_of(base);

    for (size_t i = 0; i < state->space_count; i++) {
        free(state->spaces[i]->name);
        free(state->spaces[i]);
    }
    free(state->spaces);
    free(state->changes);
    mr_arena_destroy(&state->arena);
    mr_backend_close(&state->inner);
    state->magic = 0;
    free(state);
}

struct mr_backend *sim_state_create(void)
{
    static const struct mr_backend_ops ops = {
        .space_open = space_open,
        .space_wipe = space_wipe,
        .space_close = space_close,
        .get = get,
        .scan = scan,
        .write = write_batch,
        .meta_get = meta_get,
        .close = state_close,
    };
    struct sim_state *state = mr_xcalloc(1, sizeof(*state));

    state->base.ops = &ops;
    state->magic = MAGIC;
    state->inner = mr_backend_memory_create();
    state->arena = mr_arena_create(ARENA_BYTES);
    return &state->base;
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

void sim_state_fail(struct mr_backend *base, enum sim_state_call call, int n, enum mr_status status,
                    bool done)
{
    state_of(base)->faults[call] = (struct fault){.countdown = n, .status = status, .done = done};
}

void sim_state_calm(struct mr_backend *base)
{
    memset(state_of(base)->faults, 0, sizeof(state_of(base)->faults));
}

size_t sim_state_writes(const struct mr_backend *base)
{
    return ((const struct sim_state *)base)->batches;
}

void sim_state_forget(struct mr_backend *base, size_t writes)
{
    struct sim_state *state = state_of(base);
    struct mr_err err;

    state->batches -= writes < state->batches ? writes : state->batches;
    mr_backend_close(&state->inner);
    state->inner = mr_backend_memory_create();
    for (size_t i = 0; i < state->space_count; i++) {
        struct mr_space *space = state->spaces[i];

        MR_ASSERT(state->inner->ops->space_open(state->inner, space->name, space->partition,
                                                &space->inner, &err) == MR_OK);
    }
    while (state->change_count > 0 &&
           state->changes[state->change_count - 1].batch > state->batches) {
        state->change_count--;
    }
    for (size_t i = 0; i < state->change_count; i++) {
        const struct change *change = &state->changes[i];

        if (change->kind == WIPE) {
            MR_ASSERT(state->inner->ops->space_wipe(state->inner, change->write.space->inner,
                                                    &err) == MR_OK);
        } else {
            put(state, &change->write, 1, change->kind == WRITE_META);
        }
    }
}
