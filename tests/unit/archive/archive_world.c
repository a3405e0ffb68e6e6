/* archive_world.c -- see archive_world.h. */
#include "archive_world.h"

#include "millrace/arena.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_US (5 * MR_SECOND_US)
#define TIME_MS INT64_C(1723161255342)

struct memory_env world;
char directory[64];

static struct mr_err err;

static const char shop[] =
    "application: shop\n"
    "defaults: {partitions: 3, replication: 1}\n"
    "topics:\n"
    "  orders: {key: userId, value: OrderCommand}\n"
    "  unique: {key: userId, value: OrderCommand}\n"
    "  prices: {key: symbol, value: PriceTick}\n"
    "  copy: {key: symbol, value: PriceTick}\n"
    "  wide: {key: symbol, value: PriceTick, partitions: 2}\n"
    "  events: {key: userId, value: RiskEvent}\n"
    "stages:\n"
    "  dedupe: {type: dedupe, in: {orders: orders}, out: {unique: unique, events: events}}\n"
    "groups:\n"
    "  account: {stages: [dedupe]}\n";

void world_set_up(void)
{
    memory_env_open(&world, shop);
    (void)snprintf(directory, sizeof directory, "/tmp/millrace-archive-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void empty(const char *path)
{
    DIR *open = opendir(path);
    const struct dirent *entry;

    while (open != NULL && (entry = readdir(open)) != NULL) {
        char name[600];

        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') {
            (void)unlink(name);
        }
    }
    if (open != NULL) {
        (void)closedir(open);
    }
}

void world_tear_down(void)
{
    DIR *open = opendir(directory);
    const struct dirent *entry;

    while (open != NULL && (entry = readdir(open)) != NULL) {
        if (entry->d_name[0] != '.') {
            empty(at(entry->d_name));
            (void)rmdir(at(entry->d_name));
        }
    }
    (void)closedir(open);
    empty(directory);
    ck_assert_int_eq(rmdir(directory), 0);
    memory_env_close(&world);
}

const char *at(const char *name)
{
    static char paths[4][400];
    static size_t turn;
    char *path = paths[turn++ % 4];

    (void)snprintf(path, 400, "%s/%.300s", directory, name);
    return path;
}

static struct mr_producer *open_producer(const char *topic, int *number)
{
    const struct mr_producer_options options = {.transactional_id = "filler"};
    struct mr_producer *producer = NULL;

    ck_assert_int_eq(mr_producer_open(world.env.log, &options, TIMEOUT_US, &producer, &err), MR_OK);
    ck_assert_int_eq(mr_producer_topic(producer, topic, number, NULL, &err), MR_OK);
    ck_assert_int_eq(mr_producer_begin(producer, &err), MR_OK);
    return producer;
}

static void commit(struct mr_producer **producer)
{
    ck_assert_int_eq(mr_producer_commit(*producer, NULL, NULL, 0, &err), MR_OK);
    mr_producer_close(producer);
}

static size_t frame_tick(const char *topic, int number, uint8_t *bytes)
{
    char symbol[16];
    const size_t index = mr_topology_find_topic(world.topology, topic);
    struct mr_binding binding;
    struct oms_price_tick tick = {.ts_us = number, .price = number + 1};

    (void)snprintf(symbol, sizeof symbol, "S%d", number);
    tick.symbol = mr_slice_str(symbol);
    ck_assert_int_eq(mr_codec_bind(world.env.codec, &oms_price_tick_schema,
                                   world.topology->topics[index].subject, &binding, &err),
                     MR_OK);
    return mr_codec_encode(&binding, &tick, bytes);
}

void send_tick(const char *topic, int32_t partition, int number)
{
    uint8_t bytes[256];
    struct mr_outgoing record = {
        .partition = partition, .timestamp_ms = TIME_MS + number, .has_value = true};
    struct mr_producer *producer = open_producer(topic, &record.topic);

    record.value = mr_slice_of(bytes, frame_tick(topic, number, bytes));
    ck_assert_int_eq(mr_producer_send(producer, &record, &err), MR_OK);
    commit(&producer);
}

static void send_number(struct mr_producer *producer, int topic, const char *name,
                        int32_t partition, int number)
{
    uint8_t bytes[256];
    char key[16];
    const struct mr_header headers[] = {{"number", mr_slice_of(&number, sizeof number)},
                                        {"none", {NULL, 0}}};
    struct mr_outgoing record = {.topic = topic,
                                 .partition = partition,
                                 .timestamp_ms = TIME_MS + number,
                                 .has_value = number != 1,
                                 .headers = headers,
                                 .header_count = (size_t)number % 3};

    (void)snprintf(key, sizeof key, "S%d", number);
    record.key = number == 2 ? mr_slice_of(NULL, 0) : mr_slice_str(key);
    if (record.has_value) {
        record.value = number == 3 ? mr_slice_str("no record")
                                   : mr_slice_of(bytes, frame_tick(name, number, bytes));
    }
    ck_assert_int_eq(mr_producer_send(producer, &record, &err), MR_OK);
}

void fill(const char *topic, int count)
{
    int number = 0;
    struct mr_producer *producer;

    for (int32_t p = 0; p < PARTITIONS; p++) {
        for (int i = 0; i < count; i++) {
            producer = open_producer(topic, &number);
            send_number(producer, number, topic, p, i);
            commit(&producer);
        }
    }
    producer = open_producer(topic, &number); /* and what nobody must see */
    send_number(producer, number, topic, 0, 99);
    ck_assert_int_eq(mr_producer_abort(producer, &err), MR_OK);
    mr_producer_close(&producer);
}

struct texts {
    struct mr_buffer partitions[LOAD_PARTITIONS_MAX];
    int64_t count;
};

static void put_bytes(struct mr_buffer *text, struct mr_slice bytes)
{
    mr_buffer_printf(text, bytes.data == NULL ? " -" : " ");
    for (size_t i = 0; i < bytes.len; i++) {
        mr_buffer_printf(text, "%02x", bytes.data[i]);
    }
}

static enum mr_status on_record(void *arg, const struct load_record *record, struct mr_err *ignored)
{
    struct texts *texts = arg;
    struct mr_buffer *text = &texts->partitions[record->partition];
    struct mr_header headers[8];
    const size_t count = mr_message_headers(record->message, headers, MR_COUNT(headers));

    (void)ignored;
    mr_buffer_printf(text, "%" PRId32 " %" PRId64, record->partition,
                     record->message->timestamp_ms);
    put_bytes(text, record->key);
    put_bytes(text, record->message->has_value ? record->bytes : mr_slice_of(NULL, 0));
    for (size_t i = 0; i < count; i++) {
        mr_buffer_printf(text, " %s", headers[i].name);
        put_bytes(text, headers[i].value);
    }
    mr_buffer_printf(text, "\n");
    texts->count++;
    return MR_OK;
}

static void read_topic(const char *topic, struct texts *texts)
{
    struct load_feed *feed = NULL;

    ck_assert_int_eq(load_feed_open(&world.env, &feed, &err), MR_OK);
    ck_assert_int_eq(
        load_feed_add(feed, &(struct load_source){.topic = topic, .visit = on_record, .arg = texts},
                      &err),
        MR_OK);
    ck_assert_int_eq(load_feed_catch_up(feed, TIMEOUT_US, &err), MR_OK);
    load_feed_close(&feed);
}

char *topic_text(const char *topic)
{
    struct texts *texts = mr_xcalloc(1, sizeof *texts);
    struct mr_buffer all = MR_BUFFER_EMPTY;

    read_topic(topic, texts);
    for (size_t p = 0; p < LOAD_PARTITIONS_MAX; p++) {
        mr_buffer_append(&all, texts->partitions[p].data, texts->partitions[p].len);
        mr_buffer_fini(&texts->partitions[p]);
    }
    mr_buffer_append(&all, "", 1);
    free(texts);
    return (char *)all.data;
}

int64_t topic_count(const char *topic)
{
    struct texts *texts = mr_xcalloc(1, sizeof *texts);
    int64_t count;

    read_topic(topic, texts);
    for (size_t p = 0; p < LOAD_PARTITIONS_MAX; p++) {
        mr_buffer_fini(&texts->partitions[p]);
    }
    count = texts->count;
    free(texts);
    return count;
}
