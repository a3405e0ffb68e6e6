/*
 * test_garbage.c -- no bytes stop a stage: what cannot be read is one dead letter.
 *
 * Goal:   each unreadable record of each stream port becomes exactly one dead letter, with its own
 *         bytes, the coordinates it had and the reason; what comes after it is processed.
 * Method: a table of ways to spoil a good record, through each stage alone; good records around.
 */
#include "stage_world.h"
#include "subjects.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define WILD_SEEDS 12
#define WILD_RECORDS 150
#define HUGE_BYTES ((size_t)900000)

enum spoil {
    SPOIL_EMPTY,
    SPOIL_HEADER_ONLY,
    SPOIL_SHORT_HEADER,
    SPOIL_MAGIC,
    SPOIL_UNKNOWN_ID,
    SPOIL_NEGATIVE_ID,
    SPOIL_FIRST_HALF,
    SPOIL_LAST_BYTE_GONE,
    SPOIL_ONE_BYTE_MORE,
    SPOIL_HUGE_LENGTH,
    SPOIL_HUGE,
    SPOIL_ALL_ONES,
    SPOIL_TEXT,
    SPOIL_TOMBSTONE,
};

static const struct {
    enum spoil how;
    const char *error; /* of the header millrace.error */
    const char *why;
} spoils[] = {
    {SPOIL_EMPTY, "MALFORMED", "a value without a byte is not a tombstone"},
    {SPOIL_HEADER_ONLY, "MALFORMED", "the body is missing"},
    {SPOIL_SHORT_HEADER, "MALFORMED", "cut within the schema id"},
    {SPOIL_MAGIC, "MALFORMED", "another wire format"},
    {SPOIL_UNKNOWN_ID, "SCHEMA_UNKNOWN", "a schema that nobody registered"},
    {SPOIL_NEGATIVE_ID, "SCHEMA_UNKNOWN", "an id beyond 31 bits"},
    {SPOIL_FIRST_HALF, "MALFORMED", "cut in the middle"},
    {SPOIL_LAST_BYTE_GONE, "MALFORMED", "one byte too few"},
    {SPOIL_ONE_BYTE_MORE, "MALFORMED", "a body must be consumed whole"},
    {SPOIL_HUGE_LENGTH, NULL, "a string that says it has 2^62 bytes"},
    {SPOIL_HUGE, NULL, "as large as a log takes"},
    {SPOIL_ALL_ONES, NULL, "varints that never end"},
    {SPOIL_TEXT, "MALFORMED", "somebody sent JSON"},
    {SPOIL_TOMBSTONE, "MALFORMED", "a delete where there is nothing to delete"},
};

/* The spoilt record in `bytes`, from a good one in it. */
static void spoil(enum spoil how, struct mr_buffer *bytes)
{
    static const uint8_t huge_length[] = {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F};
    static const char json[] = "{\"userId\": \"u1\"}";

    switch (how) {
    case SPOIL_EMPTY:
    case SPOIL_TOMBSTONE:
        bytes->len = 0;
        break;
    case SPOIL_HEADER_ONLY:
        bytes->len = 5;
        break;
    case SPOIL_SHORT_HEADER:
        bytes->len = 3;
        break;
    case SPOIL_MAGIC:
        bytes->data[0] = 1;
        break;
    case SPOIL_UNKNOWN_ID:
        bytes->data[1] = 0x7E;
        break;
    case SPOIL_NEGATIVE_ID:
        bytes->data[1] = 0xFF;
        break;
    case SPOIL_FIRST_HALF:
        bytes->len /= 2;
        break;
    case SPOIL_LAST_BYTE_GONE:
        bytes->len--;
        break;
    case SPOIL_ONE_BYTE_MORE:
        mr_buffer_append(bytes, "", 1);
        break;
    case SPOIL_HUGE_LENGTH:
        bytes->len = 5;
        mr_buffer_append(bytes, huge_length, sizeof(huge_length));
        break;
    case SPOIL_HUGE:
        memset(mr_buffer_reserve(bytes, HUGE_BYTES), 0x02, HUGE_BYTES);
        bytes->len += HUGE_BYTES;
        break;
    case SPOIL_ALL_ONES:
        memset(bytes->data + 5, 0xFF, bytes->len - 5);
        break;
    case SPOIL_TEXT:
        bytes->len = 0;
        mr_buffer_append(bytes, json, sizeof(json) - 1);
        break;
    }
}

static void header_is(const struct mr_world_record *letter, const char *name, const char *want)
{
    const struct mr_header *header = mr_world_header(letter, name);

    WORLD_MUST_MSG(header != NULL, "no header %s", name);
    WORLD_MUST_MSG(mr_slice_equal(header->value, mr_slice_str(want)), "%s is %.*s, not %s", name,
                   MR_SLICE_ARG(header->value), want);
}

static void check_letter(const struct mr_world_record *letter, const struct mr_world_record *source,
                         const char *topic, const char *error)
{
    char text[32];

    WORLD_MUST(mr_slice_equal(letter->key, source->key));
    WORLD_MUST(mr_slice_equal(letter->value, source->value));
    WORLD_MUST(letter->has_value == source->has_value);
    header_is(letter, "millrace.source.topic", topic);
    snprintf(text, sizeof(text), "%d", (int)source->partition);
    header_is(letter, "millrace.source.partition", text);
    snprintf(text, sizeof(text), "%lld", (long long)source->offset);
    header_is(letter, "millrace.source.offset", text);
    snprintf(text, sizeof(text), "%lld", (long long)source->timestamp_ms);
    header_is(letter, "millrace.source.timestamp-ms", text);
    header_is(letter, "millrace.stage", STAGE_NAME);
    header_is(letter, "millrace.error.class", "poison");
    if (error != NULL) {
        header_is(letter, "millrace.error", error);
    }
    WORLD_MUST((mr_world_header(letter, "millrace.error.text")) != NULL);
    WORLD_MUST((mr_world_header(letter, "millrace.error.text")->value.len) > 0);
}

/* The record of `topic` that was sent last. */
static size_t newest(const struct mr_world_records *records)
{
    size_t at = 0;

    for (size_t i = 1; i < records->count; i++) {
        if (records->items[i].timestamp_ms > records->items[at].timestamp_ms) {
            at = i;
        }
    }
    return at;
}

static void one_spoilt_record(const struct stage_setup *setup, const struct mr_port *port, size_t s)
{
    struct mr_world *world = stage_world_create(setup);
    const bool tombstones = (port->flags & MR_PORT_TOMBSTONES) != 0;
    struct mr_buffer bytes = MR_BUFFER_EMPTY;
    struct mr_world_records sources;
    struct mr_world_records letters;
    char topic[96];

    stage_topic_in(port, topic);
    stage_world_feed_tame(world, setup);
    mr_world_settle(world);
    stage_world_sample(world, port, &bytes);
    spoil(spoils[s].how, &bytes);
    if (spoils[s].how == SPOIL_TOMBSTONE) {
        mr_world_send_tombstone(world, topic, mr_slice_str("u1"));
    } else {
        mr_world_send(world, topic, mr_slice_str("u1"), mr_buffer_slice(&bytes));
    }
    mr_world_settle(world);
    WORLD_MUST_MSG(mr_world_restarts(world) == 0, "%s: %s", setup->type->name, spoils[s].why);
    mr_world_read(world, topic, &sources);
    mr_world_read(world, "conformance." STAGE_NAME ".dlq", &letters);
    if (spoils[s].how == SPOIL_TOMBSTONE && tombstones) {
        WORLD_MUST(letters.count == 0);
    } else {
        WORLD_MUST_MSG(letters.count == 1, "%s.%s: %s: %zu dead letters", setup->type->name,
                       port->name, spoils[s].why, letters.count);
        check_letter(&letters.items[0], &sources.items[newest(&sources)], topic, spoils[s].error);
    }
    mr_world_records_fini(&sources);
    mr_world_records_fini(&letters);
    mr_buffer_fini(&bytes);
    mr_world_destroy(&world);
}

START_TEST(an_unreadable_record_is_one_dead_letter)
{
    const struct stage_setup setup = {.type = subject(_i), .partitions = 2, .commit_records = 100};

    for (size_t port = 0; port < setup.type->in_count; port++) {
        for (size_t s = 0; s < MR_COUNT(spoils) && !stage_port_is_table(&setup.type->in[port]);
             s++) {
            one_spoilt_record(&setup, &setup.type->in[port], s);
        }
    }
}
END_TEST

/* A record that a table cannot read is left out; the stage goes on with the value it has. */
START_TEST(an_unreadable_record_of_a_table_stops_nothing)
{
    const struct stage_setup setup = {.type = subject(_i), .partitions = 2, .commit_records = 100};

    for (size_t port = 0; port < setup.type->in_count; port++) {
        const struct mr_port *table = &setup.type->in[port];

        for (size_t s = 0; s < MR_COUNT(spoils) && stage_port_is_table(table); s++) {
            struct mr_world *world = stage_world_create(&setup);
            struct mr_buffer bytes = MR_BUFFER_EMPTY;
            struct mr_world_records letters;
            char topic[96];

            stage_world_sample(world, table, &bytes);
            spoil(spoils[s].how, &bytes);
            mr_world_send(world, stage_topic_in(table, topic), mr_slice_str("BTCUSDT"),
                          mr_buffer_slice(&bytes));
            stage_world_feed_tame(world, &setup);
            mr_world_settle(world);
            WORLD_MUST(mr_world_restarts(world) == 0);
            mr_world_read(world, "conformance." STAGE_NAME ".dlq", &letters);
            WORLD_MUST(letters.count == 0);
            mr_world_records_fini(&letters);
            mr_buffer_fini(&bytes);
            mr_world_destroy(&world);
        }
    }
}
END_TEST

static bool same_source(const struct mr_world_record *a, const struct mr_world_record *b)
{
    static const char *const names[] = {"millrace.source.topic", "millrace.source.partition",
                                        "millrace.source.offset"};

    for (size_t i = 0; i < MR_COUNT(names); i++) {
        if (!mr_slice_equal(mr_world_header(a, names[i])->value,
                            mr_world_header(b, names[i])->value)) {
            return false;
        }
    }
    return true;
}

/* No record has two; how many there are. */
static size_t check_letters(struct mr_world *world)
{
    struct mr_world_records letters;
    size_t count;

    mr_world_read(world, "conformance." STAGE_NAME ".dlq", &letters);
    count = letters.count;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            WORLD_MUST(!same_source(&letters.items[i], &letters.items[k]));
        }
    }
    mr_world_records_fini(&letters);
    return count;
}

/* Mutations of good records: whatever they have become, at most one letter each, and life goes on.
 */
START_TEST(flipped_bits_never_stop_a_stage)
{
    const struct stage_setup setup = {.type = subject(_i), .partitions = 2, .commit_records = 9};
    struct mr_world *world = stage_world_create(&setup);

    stage_world_feed_tame(world, &setup);
    for (size_t port = 0; port < setup.type->in_count; port++) {
        struct mr_buffer bytes = MR_BUFFER_EMPTY;
        char topic[96];

        stage_world_sample(world, &setup.type->in[port], &bytes);
        for (size_t bit = 40; bit < bytes.len * 8; bit += 3) {
            bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            mr_world_send(world, stage_topic_in(&setup.type->in[port], topic), mr_slice_str("u1"),
                          mr_buffer_slice(&bytes));
            mr_world_pass_us(world, MR_MS_US);
            bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        mr_buffer_fini(&bytes);
    }
    mr_world_settle(world);
    WORLD_MUST(mr_world_restarts(world) == 0);
    mr_world_check_state(world);
    WORLD_MUST(check_letters(world) > 0);
    mr_world_destroy(&world);
}
END_TEST

/* Well-formed, and nonsense: it is rejected, or poison, or has an effect; the stage goes on. */
START_TEST(fields_that_nobody_would_send_never_stop_a_stage)
{
    const struct stage_setup setup = {.type = subject(_i), .partitions = 1, .commit_records = 9};

    for (uint64_t seed = 1; seed <= WILD_SEEDS; seed++) {
        struct mr_world *world = stage_world_create(&setup);

        stage_world_feed_tame(world, &setup);
        stage_world_feed_wild(world, &setup, seed, WILD_RECORDS);
        stage_world_feed_tame(world, &setup);
        mr_world_settle(world);
        WORLD_MUST_MSG(mr_world_restarts(world) == 0, "%s, seed %d: %s", setup.type->name,
                       (int)seed, mr_world_error(world)->text);
        mr_world_check_state(world);
        check_letters(world);
        mr_world_destroy(&world);
    }
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("conformance: garbage");
    TCase *tcase = tcase_create("every stage");
    int stages;
    SRunner *runner;
    int failed;

    subjects_init(argc, argv);
    stages = subject_count();
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, an_unreadable_record_is_one_dead_letter, 0, stages);
    tcase_add_loop_test(tcase, an_unreadable_record_of_a_table_stops_nothing, 0, stages);
    tcase_add_loop_test(tcase, flipped_bits_never_stop_a_stage, 0, stages);
    tcase_add_loop_test(tcase, fields_that_nobody_would_send_never_stop_a_stage, 0, stages);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
