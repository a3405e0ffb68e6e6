/*
 * document_write.c -- see document_write.h.
 *
 * How: the batch is coalesced by identity, so an unordered bulk may apply it in any order.
 *   1. Tombstones delete, unless the stored document is of a later record of their partition.
 *   2. Documents are inserted (ONCE, COMMAND) or upserted with the guard in the filter (LATEST,
 * STATE).
 *   3. What met a taken identity runs again as a guarded update that inserts nothing. A taken
 * identity alone does not prove that the stored document is newer: another writer may have inserted
 * an older one between the filter and the insert. Now that it exists, no match means newer. Each
 * step changes nothing when it is repeated.
 */
#include "document_write.h"

#include "document_error.h"
#include "document_make.h"
#include "millrace/arena.h"

#include <stdlib.h>

enum pass { PASS_DELETE, PASS_FIRST, PASS_TAKEN };

void document_writer_init(struct document_writer *writer, const char *address,
                          const struct mr_schema *schema)
{
    *writer = (struct document_writer){
        .address = address, .schema = schema, .coalesce = coalesce_create()};
}

void document_writer_fini(struct document_writer *writer)
{
    coalesce_destroy(&writer->coalesce);
    mr_buffer_fini(&writer->identity);
    free(writer->sent);
    free(writer->taken);
}

/* ---- bulk ---- */

static enum mr_status queued(bool accepted, const bson_error_t *error, struct mr_err *err)
{
    return accepted
               ? MR_OK
               : mr_fail(err, MR_MALFORMED, "no document for the store: %.250s", error->message);
}

static void reserve(struct document_writer *writer, size_t count)
{
    if (count > writer->capacity) {
        writer->sent = mr_xrealloc(writer->sent, count * sizeof(*writer->sent));
        writer->taken = mr_xrealloc(writer->taken, count * sizeof(*writer->taken));
        writer->capacity = count;
    }
}

/* One step over the entries of the coalescer. */
struct step {
    struct document_writer *writer;
    const struct document_plan *plan;
    struct document_batch *batch;
    mongoc_bulk_operation_t *bulk;
    enum pass pass;
};

static enum mr_status add_delete(const struct step *step, const struct coalesced *entry,
                                 struct mr_err *err)
{
    bson_error_t error;
    bson_t filter;
    bool accepted;

    document_delete_filter(&filter, entry, &step->batch->records[entry->tombstone]);
    accepted = mongoc_bulk_operation_remove_one_with_opts(step->bulk, &filter, NULL, &error);
    bson_destroy(&filter);
    return queued(accepted, &error, err);
}

static enum mr_status add_insert(const struct step *step, const struct coalesced *entry,
                                 struct mr_err *err)
{
    const struct mr_record *record = &step->batch->records[entry->value];
    enum mr_status status;
    bson_error_t error;
    bson_t document;

    status = document_whole(&document, step->writer->schema, step->plan, entry, record, err);
    if (status == MR_OK) {
        status = queued(mongoc_bulk_operation_insert_with_opts(step->bulk, &document, NULL, &error),
                        &error, err);
    }
    bson_destroy(&document);
    return status;
}

static enum mr_status make_change(const struct step *step, const struct coalesced *entry,
                                  bson_t *change, struct mr_err *err)
{
    const struct mr_record *record = &step->batch->records[entry->value];

    switch (step->plan->mode) {
    case DOCUMENT_COMMAND:
        return document_command_update(change, step->writer->schema, step->plan, record, err);
    case DOCUMENT_STATE:
        return document_state_update(change, step->writer->schema, step->plan, record, err);
    case DOCUMENT_ONCE:
    case DOCUMENT_LATEST:
    default:
        return document_whole(change, step->writer->schema, step->plan, entry, record, err);
    }
}

static enum mr_status add_guarded(const struct step *step, const struct coalesced *entry,
                                  struct mr_err *err)
{
    bson_t filter, change, options;
    enum mr_status status;
    bson_error_t error;
    bool accepted;

    bson_init(&options);
    MR_ASSERT(BSON_APPEND_BOOL(&options, "upsert", step->pass == PASS_FIRST));
    document_filter(&filter, step->plan->mode, entry);
    status = make_change(step, entry, &change, err);
    if (status == MR_OK) {
        accepted = step->plan->mode == DOCUMENT_LATEST
                       ? mongoc_bulk_operation_replace_one_with_opts(step->bulk, &filter, &change,
                                                                     &options, &error)
                       : mongoc_bulk_operation_update_one_with_opts(step->bulk, &filter, &change,
                                                                    &options, &error);
        status = queued(accepted, &error, err);
    }
    bson_destroy(&options);
    bson_destroy(&filter);
    bson_destroy(&change);
    return status;
}

static bool inserts(const struct step *step)
{
    return step->pass == PASS_FIRST &&
           (step->plan->mode == DOCUMENT_ONCE || step->plan->mode == DOCUMENT_COMMAND);
}

static enum mr_status add(const struct step *step, size_t entry_index, struct mr_err *err)
{
    struct document_writer *writer = step->writer;
    const struct coalesced *entry = coalesce_at(writer->coalesce, entry_index);
    const bool deletes = step->pass == PASS_DELETE;
    const size_t record = deletes ? entry->tombstone : entry->value;
    enum mr_status status;

    if (record == COALESCE_NONE) {
        return MR_OK;
    }
    status = deletes         ? add_delete(step, entry, err)
             : inserts(step) ? add_insert(step, entry, err)
                             : add_guarded(step, entry, err);
    writer->sent[writer->sent_count++] = entry_index;
    if (status != MR_OK) {
        step->batch->bad = record;
    }
    return status;
}

/* ---- the answer ---- */

static int64_t number_of(const bson_t *reply, const char *name)
{
    bson_iter_t at;

    return bson_iter_init_find(&at, reply, name) ? bson_iter_as_int64(&at) : 0;
}

static bool has_items(const bson_t *reply, const char *name)
{
    bson_iter_t at, child;

    return bson_iter_init_find(&at, reply, name) && bson_iter_recurse(&at, &child) &&
           bson_iter_next(&child);
}

struct refusal {
    int64_t index; /* of the operation in the bulk */
    int32_t code;
    const char *text; /* of the reply */
};

static struct refusal read_refusal(const bson_iter_t *item)
{
    struct refusal refusal = {.index = -1, .text = ""};
    bson_iter_t at;

    if (bson_iter_recurse(item, &at)) {
        while (bson_iter_next(&at)) {
            if (strcmp(bson_iter_key(&at), "index") == 0) {
                refusal.index = bson_iter_as_int64(&at);
            } else if (strcmp(bson_iter_key(&at), "code") == 0) {
                refusal.code = (int32_t)bson_iter_as_int64(&at);
            } else if (strcmp(bson_iter_key(&at), "errmsg") == 0 && BSON_ITER_HOLDS_UTF8(&at)) {
                refusal.text = bson_iter_utf8(&at, NULL);
            }
        }
    }
    return refusal;
}

/* An outage in the answer outweighs a bad document: the batch comes again, and so does the refusal.
 */
static enum mr_status judge(const struct step *step, const struct refusal *refusal,
                            enum mr_status status, struct mr_err *err)
{
    struct document_writer *writer = step->writer;
    const enum document_fault fault = document_fault_of(refusal->code);
    size_t entry;

    if (refusal->index < 0 || (size_t)refusal->index >= writer->sent_count ||
        fault == DOCUMENT_RETRY || fault == DOCUMENT_FATAL) {
        return mr_status_class(status) == MR_CLASS_RETRY
                   ? status
                   : document_fail_code(refusal->code, refusal->text, writer->address, err);
    }
    entry = writer->sent[refusal->index];
    if (fault == DOCUMENT_DUPLICATE) {
        writer->taken[writer->taken_count++] = entry;
    } else if (status == MR_OK) {
        step->batch->bad = coalesce_at(writer->coalesce, entry)->value;
        return mr_fail(err, MR_MALFORMED, "document store %s refuses the document (%d): %.250s",
                       writer->address, (int)refusal->code, refusal->text);
    }
    return status;
}

/* done: the call itself succeeded. */
static enum mr_status read_answer(const struct step *step, const bson_t *reply, bool done,
                                  const bson_error_t *error, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    int64_t accounted = number_of(reply, "nInserted") + number_of(reply, "nMatched") +
                        number_of(reply, "nUpserted");
    bool refused = false;
    bson_iter_t at, item;

    if (bson_iter_init_find(&at, reply, "writeErrors") && bson_iter_recurse(&at, &item)) {
        while (bson_iter_next(&item)) {
            const struct refusal refusal = read_refusal(&item);

            refused = true;
            accounted++;
            status = judge(step, &refusal, status, err);
        }
    }
    if (status != MR_OK) {
        return status;
    }
    if (has_items(reply, "writeConcernErrors")) {
        return mr_fail(err, MR_UNAVAILABLE, "document store %s: write not acknowledged: %.250s",
                       step->writer->address, error->message);
    }
    if (!done && !refused) {
        return document_fail(error, step->writer->address, err);
    }
    /* A connection that broke between two parts of one bulk leaves operations without an answer. */
    if (step->pass == PASS_FIRST && accounted < (int64_t)step->writer->sent_count) {
        return mr_fail(err, MR_UNAVAILABLE, "document store %s answered for %lld of %zu documents",
                       step->writer->address, (long long)accounted, step->writer->sent_count);
    }
    return MR_OK;
}

/* ---- the batch ---- */

/* Runs one pass over the given entries; NULL: over all. */
static enum mr_status run_pass(struct step *step, mongoc_collection_t *collection,
                               const size_t *entries, size_t count, struct mr_err *err)
{
    struct document_writer *writer = step->writer;
    enum mr_status status = MR_OK;
    bson_error_t error = {0};
    bson_t options, reply;

    writer->sent_count = 0;
    bson_init(&options);
    MR_ASSERT(BSON_APPEND_BOOL(&options, "ordered", false));
    step->bulk = mongoc_collection_create_bulk_operation_with_opts(collection, &options);
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        status = add(step, entries == NULL ? i : entries[i], err);
    }
    if (status == MR_OK && writer->sent_count > 0) {
        const bool done = mongoc_bulk_operation_execute(step->bulk, &reply, &error) != 0;

        status = read_answer(step, &reply, done, &error, err);
        bson_destroy(&reply);
    }
    mongoc_bulk_operation_destroy(step->bulk);
    bson_destroy(&options);
    return status;
}

static enum mr_status gather_one(struct document_writer *writer, const struct document_plan *plan,
                                 const struct mr_record *record, size_t index, struct mr_err *err)
{
    struct mr_slice id;

    mr_buffer_clear(&writer->identity);
    if (record->value == NULL) {
        if (plan->mode != DOCUMENT_LATEST) {
            return mr_fail(err, MR_MALFORMED, "a tombstone means nothing in collection %s",
                           plan->collection);
        }
        mr_buffer_append(&writer->identity, record->key.data, record->key.len);
    } else if (plan->wanted != NULL && !plan->wanted(record->value)) {
        return MR_OK;
    } else {
        plan->identity(record->value, &writer->identity);
    }
    id = mr_buffer_slice(&writer->identity);
    if (id.len == 0 || !bson_utf8_validate((const char *)id.data, id.len, true)) {
        return mr_fail(err, MR_MALFORMED, "the record has no identity for collection %s",
                       plan->collection);
    }
    if (record->value == NULL) {
        coalesce_tombstone(writer->coalesce, id, index);
    } else {
        coalesce_value(writer->coalesce, id, plan->guard == NULL ? 0 : plan->guard(record->value),
                       index);
    }
    return MR_OK;
}

static bool has_tombstones(const struct coalesce *coalesce)
{
    for (size_t i = 0; i < coalesce_count(coalesce); i++) {
        if (coalesce_at(coalesce, i)->tombstone != COALESCE_NONE) {
            return true;
        }
    }
    return false;
}

enum mr_status document_write(struct document_writer *writer, const struct document_plan *plan,
                              mongoc_collection_t *collection, struct document_batch *batch,
                              struct mr_err *err)
{
    struct step step = {.writer = writer, .plan = plan, .batch = batch};
    size_t count;

    coalesce_clear(writer->coalesce);
    writer->taken_count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        batch->bad = i;
        MR_TRY(gather_one(writer, plan, &batch->records[i], i, err));
    }
    count = coalesce_count(writer->coalesce);
    reserve(writer, count);
    if (has_tombstones(writer->coalesce)) {
        step.pass = PASS_DELETE;
        MR_TRY(run_pass(&step, collection, NULL, count, err));
        writer->taken_count = 0;
    }
    step.pass = PASS_FIRST;
    MR_TRY(run_pass(&step, collection, NULL, count, err));
    if (plan->mode == DOCUMENT_ONCE || writer->taken_count == 0) {
        return MR_OK;
    }
    step.pass = PASS_TAKEN;
    count = writer->taken_count;
    writer->taken_count = 0; /* nobody asks which of them are newer */
    return run_pass(&step, collection, writer->taken, count, err);
}
