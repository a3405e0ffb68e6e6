/* risk_read.c -- see risk_read.h. */
#include "risk_read.h"

#include "millrace/changelog.h"
#include "millrace/partition.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 * 1024)

/* The newest record of a key. */
struct row {
    struct mr_slice key;
    struct mr_slice bytes; /* framed; empty: deleted */
    void *value;           /* decoded when all is read */
};

/* The rows of one schema. Looked through one by one: there are some thousands, and few questions.
 */
struct rows {
    const struct mr_schema *schema;
    struct mr_binding binding;
    struct row *items;
    size_t count, capacity;
};

enum { ROWS_ACCOUNTS, ROWS_CLIENT_IDS, ROWS_INSTRUMENTS, ROWS_PRICES, ROWS_COUNT };

struct risk_rows {
    struct mr_arena *arena;
    const struct mr_stage_node *stage;
    struct rows rows[ROWS_COUNT];
    struct mr_slice user;
    struct mr_slice client_key; /* empty: none is asked about */
    int32_t partition;          /* of the changelog */
};

static struct row *find_row(const struct rows *rows, struct mr_slice key)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (mr_slice_equal(rows->items[i].key, key)) {
            return &rows->items[i];
        }
    }
    return NULL;
}

static void keep(struct risk_rows *all, struct rows *rows, struct mr_slice key,
                 const struct load_record *record)
{
    struct row *row = find_row(rows, key);

    if (row == NULL) {
        if (rows->count == rows->capacity) {
            rows->capacity = rows->capacity == 0 ? 64 : 2 * rows->capacity;
            rows->items = mr_xrealloc(rows->items, rows->capacity * sizeof(*rows->items));
        }
        row = &rows->items[rows->count++];
        *row = (struct row){.key = mr_arena_copy(all->arena, key)};
    }
    row->bytes = record->message->has_value ? mr_arena_copy(all->arena, record->bytes)
                                            : (struct mr_slice){0};
}

static enum mr_status on_change(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct risk_rows *all = arg;
    const struct mr_stage *type = all->stage->type;
    struct mr_slice key;
    const size_t store = mr_changelog_store(type, record->key, &key);

    (void)err;
    if (store == SIZE_MAX || record->partition != all->partition) {
        return MR_OK;
    }
    if (strcmp(type->stores[store].name, "accounts") == 0 &&
        (mr_slice_equal(key, all->user) || mr_slice_equal(key, mr_slice_str("*")))) {
        keep(all, &all->rows[ROWS_ACCOUNTS], key, record);
    } else if (strcmp(type->stores[store].name, "client-ids") == 0 && all->client_key.len > 0 &&
               mr_slice_equal(key, all->client_key)) {
        keep(all, &all->rows[ROWS_CLIENT_IDS], key, record);
    }
    return MR_OK;
}

static enum mr_status on_instrument(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct risk_rows *all = arg;

    (void)err;
    keep(all, &all->rows[ROWS_INSTRUMENTS], record->key, record);
    return MR_OK;
}

static enum mr_status on_price(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct risk_rows *all = arg;

    (void)err;
    keep(all, &all->rows[ROWS_PRICES], record->key, record);
    return MR_OK;
}

static enum mr_status read_topic(const struct load_env *env, const char *topic, load_visit *visit,
                                 struct risk_rows *all, int64_t wait_us, struct mr_err *err)
{
    const struct load_source source = {.topic = topic, .visit = visit, .arg = all};
    struct load_feed *feed = NULL;
    enum mr_status status;

    MR_TRY(load_feed_open(env, &feed, err));
    status = load_feed_add(feed, &source, err);
    if (status == MR_OK) {
        status = load_feed_catch_up(feed, wait_us, err);
    }
    load_feed_close(&feed);
    return status;
}

/* The topic of an input port, by the port's name. */
static const struct mr_topic *topic_of(const struct load_env *env,
                                       const struct mr_stage_node *stage, const char *port)
{
    for (size_t i = 0; i < stage->type->in_count; i++) {
        if (strcmp(stage->type->in[i].name, port) == 0) {
            return &env->topology->topics[stage->in[i].topic];
        }
    }
    return NULL;
}

static enum mr_status bind_all(const struct load_env *env, struct risk_rows *all,
                               struct mr_err *err)
{
    const struct mr_stage *type = all->stage->type;
    const struct mr_topic *instruments = topic_of(env, all->stage, "instruments");
    const struct mr_topic *prices = topic_of(env, all->stage, "prices");

    for (size_t i = 0; i < type->store_count; i++) {
        const bool accounts = strcmp(type->stores[i].name, "accounts") == 0;

        if (accounts || strcmp(type->stores[i].name, "client-ids") == 0) {
            struct rows *rows = &all->rows[accounts ? ROWS_ACCOUNTS : ROWS_CLIENT_IDS];

            rows->schema = type->stores[i].schema;
            MR_TRY(mr_codec_bind(env->codec, rows->schema, all->stage->store_subjects[i],
                                 &rows->binding, err));
        }
    }
    if (instruments == NULL || prices == NULL) {
        return mr_fail(err, MR_CONFIG, "stage %s has no instruments or prices", all->stage->name);
    }
    all->rows[ROWS_INSTRUMENTS].schema = instruments->schema;
    all->rows[ROWS_PRICES].schema = prices->schema;
    MR_TRY(mr_codec_bind(env->codec, instruments->schema, instruments->subject,
                         &all->rows[ROWS_INSTRUMENTS].binding, err));
    return mr_codec_bind(env->codec, prices->schema, prices->subject,
                         &all->rows[ROWS_PRICES].binding, err);
}

/* A row that cannot be decoded is as good as none: the stage would not have it either. */
static enum mr_status decode_all(const struct load_env *env, struct risk_rows *all,
                                 struct mr_err *err)
{
    for (size_t k = 0; k < ROWS_COUNT; k++) {
        struct rows *rows = &all->rows[k];

        for (size_t i = 0; i < rows->count; i++) {
            struct row *row = &rows->items[i];
            void *value = mr_arena_alloc(all->arena, rows->schema->struct_bytes);
            enum mr_status status;

            if (row->bytes.len == 0) {
                continue;
            }
            memset(value, 0, rows->schema->struct_bytes);
            status =
                mr_codec_decode(env->codec, &rows->binding, row->bytes, all->arena, value, err);
            if (status != MR_OK && mr_status_class(status) != MR_CLASS_POISON) {
                return status;
            }
            row->value = status == MR_OK ? value : NULL;
        }
    }
    return MR_OK;
}

static enum mr_status read_all(const struct load_env *env, struct risk_rows *all, int64_t wait_us,
                               struct mr_err *err)
{
    const struct mr_topology *topology = env->topology;
    const struct mr_stage_node *stage = all->stage;

    if (stage->changelog == MR_UNBOUND) {
        return mr_fail(err, MR_CONFIG, "stage %s keeps no changelog", stage->name);
    }
    all->partition = mr_partition_of(all->user, topology->groups[stage->group].partitions);
    MR_TRY(bind_all(env, all, err));
    MR_TRY(read_topic(env, topology->topics[stage->changelog].name, on_change, all, wait_us, err));
    MR_TRY(read_topic(env, topic_of(env, stage, "instruments")->name, on_instrument, all, wait_us,
                      err));
    MR_TRY(read_topic(env, topic_of(env, stage, "prices")->name, on_price, all, wait_us, err));
    return decode_all(env, all, err);
}

enum mr_status risk_rows_read(const struct load_env *env, const struct risk_question *question,
                              struct risk_rows **rows, struct mr_err *err)
{
    struct risk_rows *all = mr_xcalloc(1, sizeof(*all));
    struct mr_key key;
    enum mr_status status;

    all->arena = mr_arena_create(ARENA_BYTES);
    all->stage = question->stage;
    all->user = mr_slice_str(question->user);
    if (question->client_order_id[0] != '\0') {
        mr_key_begin(&key);
        mr_key_text(&key, all->user);
        mr_key_text(&key, mr_slice_str(question->client_order_id));
        all->client_key =
            key.overflow ? (struct mr_slice){0} : mr_arena_copy(all->arena, mr_key_slice(&key));
    }
    *rows = all;
    status = read_all(env, all, question->wait_us, err);
    if (status != MR_OK) {
        risk_rows_close(rows);
    }
    return status;
}

void risk_rows_close(struct risk_rows **rows)
{
    if (*rows != NULL) {
        for (size_t k = 0; k < ROWS_COUNT; k++) {
            free((*rows)->rows[k].items);
        }
        mr_arena_destroy(&(*rows)->arena);
        free(*rows);
        *rows = NULL;
    }
}

static const void *value_of(const struct risk_rows *rows, size_t kind, struct mr_slice key)
{
    const struct row *row = find_row(&rows->rows[kind], key);

    return row == NULL ? NULL : row->value;
}

const struct oms_risk_account *risk_rows_user(const struct risk_rows *rows)
{
    return value_of(rows, ROWS_ACCOUNTS, rows->user);
}

const struct oms_risk_account *risk_rows_all(const struct risk_rows *rows)
{
    return value_of(rows, ROWS_ACCOUNTS, mr_slice_str("*"));
}

bool risk_rows_client_id_taken(const struct risk_rows *rows)
{
    return rows->client_key.len > 0 && value_of(rows, ROWS_CLIENT_IDS, rows->client_key) != NULL;
}

const struct oms_instrument *risk_rows_instrument(void *arg, struct mr_slice symbol)
{
    return value_of(arg, ROWS_INSTRUMENTS, symbol);
}

const struct oms_price_tick *risk_rows_price(void *arg, struct mr_slice symbol)
{
    return value_of(arg, ROWS_PRICES, symbol);
}
