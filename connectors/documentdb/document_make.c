/* document_make.c -- see document_make.h. */
#include "document_make.h"

#include "document_bson.h"

#define GUARD_FIELD "_v"
#define SOURCE_FIELD "_src"

static void append_source(bson_t *document, const struct mr_record *record)
{
    bson_t source;

    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(document, SOURCE_FIELD, &source));
    MR_ASSERT(BSON_APPEND_INT32(&source, "p", record->partition));
    MR_ASSERT(BSON_APPEND_INT64(&source, "o", record->offset));
    MR_ASSERT(bson_append_document_end(document, &source));
}

static void append_less(bson_t *filter, const char *name, int64_t value)
{
    bson_t less;

    MR_ASSERT(bson_append_document_begin(filter, name, -1, &less));
    MR_ASSERT(BSON_APPEND_INT64(&less, "$lt", value));
    MR_ASSERT(bson_append_document_end(filter, &less));
}

void document_filter(bson_t *filter, enum document_mode mode, const struct coalesced *entry)
{
    bson_t absent;

    bson_init(filter);
    document_append_text(filter, "_id", entry->id);
    switch (mode) {
    case DOCUMENT_LATEST:
        append_less(filter, GUARD_FIELD, entry->version);
        break;
    case DOCUMENT_STATE:
        append_less(filter, "version", entry->version);
        break;
    case DOCUMENT_COMMAND:
        MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(filter, SOURCE_FIELD, &absent));
        MR_ASSERT(BSON_APPEND_BOOL(&absent, "$exists", false));
        MR_ASSERT(bson_append_document_end(filter, &absent));
        break;
    case DOCUMENT_ONCE:
    default:
        break;
    }
}

/* Deletes what is older than the tombstone; a document of another partition is of an older layout.
 */
void document_delete_filter(bson_t *filter, const struct coalesced *entry,
                            const struct mr_record *record)
{
    bson_t either, branch, other;

    bson_init(filter);
    document_append_text(filter, "_id", entry->id);
    MR_ASSERT(BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either));
    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(&either, "0", &branch));
    append_less(&branch, SOURCE_FIELD ".o", record->offset);
    MR_ASSERT(bson_append_document_end(&either, &branch));
    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(&either, "1", &branch));
    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(&branch, SOURCE_FIELD ".p", &other));
    MR_ASSERT(BSON_APPEND_INT32(&other, "$ne", record->partition));
    MR_ASSERT(bson_append_document_end(&branch, &other));
    MR_ASSERT(bson_append_document_end(&either, &branch));
    MR_ASSERT(bson_append_array_end(filter, &either));
}

/* The whole document: what ONCE, COMMAND and LATEST leave when nothing was there. */
enum mr_status document_whole(bson_t *document, const struct mr_schema *schema,
                              const struct document_plan *plan, const struct coalesced *entry,
                              const struct mr_record *record, struct mr_err *err)
{
    bson_init(document);
    document_append_text(document, "_id", entry->id);
    if (plan->mode == DOCUMENT_LATEST) {
        MR_ASSERT(BSON_APPEND_INT64(document, GUARD_FIELD, entry->version));
    } else if (plan->mode == DOCUMENT_COMMAND) {
        document_append_text(document, "status", mr_slice_str("NEW"));
        MR_ASSERT(BSON_APPEND_INT32(document, "version", 0));
        document_append_time(document, "createdAt", plan->event_us(record->value));
    }
    append_source(document, record);
    return document_append(document, schema, record->value, NULL, err);
}

/* {$set: the command} for an order whose state came first. */
enum mr_status document_command_update(bson_t *update, const struct mr_schema *schema,
                                       const struct document_plan *plan,
                                       const struct mr_record *record, struct mr_err *err)
{
    enum mr_status status;
    bson_t set;

    bson_init(update);
    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set));
    document_append_time(&set, "createdAt", plan->event_us(record->value));
    append_source(&set, record);
    status = document_append(&set, schema, record->value, NULL, err);
    MR_ASSERT(bson_append_document_end(update, &set));
    return status;
}

enum mr_status document_state_update(bson_t *update, const struct mr_schema *schema,
                                     const struct document_plan *plan,
                                     const struct mr_record *record, struct mr_err *err)
{
    enum mr_status status;
    bson_t set;

    bson_init(update);
    MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set));
    document_append_time(&set, "updatedAt", plan->event_us(record->value));
    status = document_append(&set, schema, record->value, plan->fields, err);
    MR_ASSERT(bson_append_document_end(update, &set));
    if (status == MR_OK) {
        MR_ASSERT(BSON_APPEND_DOCUMENT_BEGIN(update, "$setOnInsert", &set));
        status = document_append(&set, schema, record->value, plan->identity_fields, err);
        MR_ASSERT(bson_append_document_end(update, &set));
    }
    return status;
}
