/* toy_sink.c -- see toy.h: an outside system that can be away and that refuses some records. */
#include "avro/order_command.h"
#include "toy.h"

#include <check.h>

struct toy_outside toy_outside;

struct state {
    int64_t unused;
};

static enum mr_status answer(int *away, struct mr_err *err)
{
    if (*away != 0) {
        *away -= *away > 0;
        return mr_fail(err, MR_UNAVAILABLE, "the outside system is away");
    }
    return MR_OK;
}

static enum mr_status open_sink(void *self, const struct mr_sink_env *env, struct mr_err *err)
{
    (void)self;
    (void)env;
    return answer(&toy_outside.closed, err);
}

static void keep(const struct mr_record *record)
{
    const struct oms_order_command *order = record->value;
    struct toy_written *written;

    ck_assert_uint_lt(toy_outside.count, TOY_READ_MAX);
    ck_assert_uint_lt(order->client_order_id.len, sizeof(written->id));
    written = &toy_outside.written[toy_outside.count++];
    *written = (struct toy_written){.partition = record->partition, .offset = record->offset};
    memcpy(written->id, order->client_order_id.data, order->client_order_id.len);
}

static enum mr_status write_records(void *self, const struct mr_record *records, size_t count,
                                    size_t *bad, struct mr_err *err)
{
    void (*interlude)(void *) = toy_interlude;

    (void)self;
    if (interlude != NULL) {
        toy_interlude = NULL;
        interlude(toy_interlude_arg);
    }
    toy_outside.batch_max = count > toy_outside.batch_max ? count : toy_outside.batch_max;
    MR_TRY(answer(&toy_outside.away, err));
    for (size_t i = 0; i < count; i++) {
        const struct oms_order_command *order = records[i].value;

        if (mr_slice_equal(order->client_order_id, mr_slice_str("nobody"))) {
            *bad = i;
            return mr_fail(err, MR_MALFORMED, "nobody can write it");
        }
        keep(&records[i]);
    }
    return MR_OK;
}

static void close_sink(void *self)
{
    (void)self;
}

static const char *address(const void *self)
{
    (void)self;
    return "outside";
}

static const char *const schemas[] = {"OrderCommand", NULL};

const struct mr_sink_type toy_sink = {
    .name = "outside",
    .help = "keeps what it is given",
    .state_size = sizeof(struct state),
    .schemas = schemas,
    .open = open_sink,
    .write = write_records,
    .close = close_sink,
    .address = address,
};
