/*
 * Goal:   a type that is a path means a stage of that module, records of the module may be carried
 *         by topics, and what does not fit is named at the type.
 * Method: a catalog whose load_module answers from a table of made-up modules and notes the paths
 *         it was asked for.
 */
#include "fake_catalog.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static enum mr_status process(void *self, struct mr_ctx *ctx, size_t port,
                              const struct mr_record *record, struct mr_err *err)
{
    (void)self;
    (void)ctx;
    (void)port;
    (void)record;
    (void)err;
    return MR_OK;
}

static const struct mr_schema_field note_fields[] = {{.name = "userId"}, {.name = "text"}};
static const struct mr_schema_field order_fields[] = {{.name = "userId"}};
static const struct mr_schema note_schema = {.name = "Note",
                                             .full_name = "mine.Note",
                                             .json = "{}",
                                             .event_us_offset = -1,
                                             .fields = note_fields,
                                             .field_count = MR_COUNT(note_fields)};
/* Of the program's full name, and with fewer fields. */
static const struct mr_schema other_order = {.name = "Order",
                                             .full_name = "fake.Order",
                                             .json = "{}",
                                             .event_us_offset = -1,
                                             .fields = order_fields,
                                             .field_count = MR_COUNT(order_fields)};

static const struct mr_port note_port[] = {{.name = "notes", .schema = &note_schema}};
static const struct mr_port order_port[] = {{.name = "orders", .schema = &other_order}};
static const struct mr_store_spec order_store[] = {{.name = "last", .schema = &other_order}};
#define STAGE(label, input, ...)                                                                   \
    {                                                                                              \
        .name = (label), .state_size = 1, .in = (input), .in_count = 1, .process = process,        \
        __VA_ARGS__                                                                                \
    }
static const struct mr_stage echo = STAGE("echo", note_port, .out = note_port, .out_count = 1);
static const struct mr_stage twice = STAGE("twice", note_port, .out = note_port, .out_count = 1);
static const struct mr_stage stale_in = STAGE("stale", order_port, .out_count = 0);
static const struct mr_stage stale_out =
    STAGE("stale", note_port, .out = order_port, .out_count = 1);
static const struct mr_stage stale_store =
    STAGE("stale", note_port, .stores = order_store, .store_count = 1);

static const struct mr_schema *const note_schemas[] = {&note_schema};
static const struct mr_schema *const order_schemas[] = {&other_order};
static const struct mr_stage *const one[] = {&echo};
static const struct mr_stage *const two[] = {&echo, &twice};
static const struct mr_stage *const in[] = {&stale_in};
static const struct mr_stage *const out[] = {&stale_out};
static const struct mr_stage *const store[] = {&stale_store};

static const struct {
    const char *path;
    struct mr_stage_module module;
} modules[] = {
    {"./one.so", {MR_STAGE_ABI, one, 1, note_schemas, 1}},
    {"there/./one.so", {MR_STAGE_ABI, one, 1, note_schemas, 1}},
    {"/abs/two.so", {MR_STAGE_ABI, two, 2, note_schemas, 1}},
    {"./in.so", {MR_STAGE_ABI, in, 1, note_schemas, 1}},
    {"./out.so", {MR_STAGE_ABI, out, 1, note_schemas, 1}},
    {"./store.so", {MR_STAGE_ABI, store, 1, note_schemas, 1}},
    {"./brings.so", {MR_STAGE_ABI, one, 1, order_schemas, 1}},
};

static int opened;

static enum mr_status load_module(const char *path, const struct mr_stage_module **module,
                                  struct mr_err *err)
{
    opened++;
    for (size_t i = 0; i < MR_COUNT(modules); i++) {
        if (strcmp(path, modules[i].path) == 0) {
            *module = &modules[i].module;
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG, "%s cannot be read: nobody wrote it", path);
}

static const char text[] = "application: shop\n"
                           "topics:\n"
                           "  notes: {key: userId, value: Note}\n"
                           "  again: {key: userId, value: Note}\n"
                           "  orders: {key: userId, value: Order}\n"
                           "stages:\n"
                           "  echo:\n"
                           "    type: %s\n"
                           "    in: {notes: notes}\n"
                           "    out: {notes: again}\n"
                           "groups:\n"
                           "  all: {stages: [echo]}\n";

static enum mr_status load(const char *file, const char *type, bool can_load,
                           struct mr_topology **topology, struct mr_problems *problems)
{
    struct mr_catalog catalog = fake_catalog;
    struct mr_err err = {0};
    char yaml[1024];

    opened = 0;
    catalog.load_module = can_load ? load_module : NULL;
    (void)snprintf(yaml, sizeof(yaml), text, type);
    return mr_topology_load_text(file, mr_slice_str(yaml), &catalog, topology, problems, &err);
}

static const struct good_row {
    const char *why;
    const char *file;
    const char *type;
    const struct mr_stage *stage;
} good_rows[] = {
    {"the only stage of a module", "t.yaml", "./one.so", &echo},
    {"relative to the file, wherever it is read from", "there/t.yaml", "./one.so", &echo},
    {"an absolute path is left alone", "there/t.yaml", "/abs/two.so#twice", &twice},
    {"one of several", "t.yaml", "/abs/two.so#echo", &echo},
};

START_TEST(a_path_is_a_stage_of_that_module)
{
    const struct good_row *row = &good_rows[_i];
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    const enum mr_status status = load(row->file, row->type, true, &topology, &problems);

    ck_assert_msg(status == MR_OK, "%s: %s", row->why,
                  problems.count > 0 ? problems.items[0].text : "");
    ck_assert_ptr_eq(topology->stages[0].type, row->stage);
    ck_assert_ptr_eq(topology->topics[0].schema, &note_schema);
    ck_assert_int_eq(opened, 1);
    mr_topology_destroy(&topology);
    mr_problems_fini(&problems);
}
END_TEST

static const struct bad_row {
    const char *why;
    const char *type;
    const char *words;
} bad_rows[] = {
    {"no such file", "./none.so", "./none.so cannot be read: nobody wrote it"},
    {"several stages", "/abs/two.so", "has several stages: write /abs/two.so#NAME"},
    {"which of several", "/abs/two.so", "known: echo, twice"},
    {"none of that name", "/abs/two.so#twise", "no stage \"twise\", did you mean \"twice\"?"},
    {"another record on an in port", "./in.so", "in port orders has another Order"},
    {"another record on an out port", "./out.so", "out port orders has another Order"},
    {"another record in a store", "./store.so", "store last has another Order"},
    {"it brings another record", "./brings.so", "it has another Order"},
};

START_TEST(what_does_not_fit_is_named_at_the_type)
{
    const struct bad_row *row = &bad_rows[_i];
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    bool found = false;

    ck_assert_int_eq(load("t.yaml", row->type, true, &topology, &problems), MR_CONFIG);
    for (size_t i = 0; i < problems.count; i++) {
        found = found ||
                (problems.items[i].position.line == 8 && problems.items[i].position.column == 11 &&
                 strstr(problems.items[i].text, row->words) != NULL);
    }
    ck_assert_msg(found, "%s: \"%s\" is not said at 8:11 but %s", row->why, row->words,
                  problems.items[problems.count - 1].text);
    mr_problems_fini(&problems);
}
END_TEST

START_TEST(without_a_loader_a_path_is_refused)
{
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};

    ck_assert_int_eq(load("t.yaml", "./one.so", false, &topology, &problems), MR_CONFIG);
    ck_assert_int_eq(opened, 0);
    ck_assert_ptr_nonnull(strstr(problems.items[problems.count - 1].text, "are not opened here"));
    mr_problems_fini(&problems);
}
END_TEST

/* ---- the head of a module -------------------------------------------------------------------- */

static struct mr_stage_module good_module(void)
{
    return modules[0].module;
}

START_TEST(a_module_of_these_headers_is_taken)
{
    const struct mr_stage_module module = good_module();
    struct mr_err err = {0};

    ck_assert_msg(mr_stage_module_check(&module, &err) == MR_OK, "%s", err.text);
}
END_TEST

static const struct head_row {
    const char *why;
    uint32_t magic;
    int major;
    int minor;
    uint32_t port_bytes;
    size_t stages;
    const char *words;
} head_rows[] = {
    {"another symbol of that name", 1, 0, 0, 0, 1, "no stage module"},
    {"a later major version", 0, 1, 0, 0, 1, "stage ABI 2.0, this program has 1.0"},
    {"functions that are not there yet", 0, 0, 3, 0, 1, "stage ABI 1.3, this program has 1.0"},
    {"headers that somebody changed", 0, 0, 0, 8, 1, "struct mr_port has "},
    {"nothing in it", 0, 0, 0, 0, 0, "holds no stage"},
};

START_TEST(a_module_of_other_headers_is_refused_with_both_numbers)
{
    const struct head_row *row = &head_rows[_i];
    struct mr_stage_module module = good_module();
    struct mr_err err = {0};

    module.abi.magic += row->magic;
    module.abi.major = (uint16_t)(module.abi.major + row->major);
    module.abi.minor = (uint16_t)(module.abi.minor + row->minor);
    module.abi.bytes_mr_port += row->port_bytes;
    module.stage_count = row->stages;
    ck_assert_int_eq(mr_stage_module_check(&module, &err), MR_CONFIG);
    ck_assert_msg(strstr(err.text, row->words) != NULL, "%s: %s", row->why, err.text);
}
END_TEST

START_TEST(a_stage_without_its_parts_is_refused)
{
    struct mr_stage broken = echo;
    const struct mr_stage *const stages[] = {&broken};
    struct mr_stage_module module = good_module();
    struct mr_port port = note_port[0];
    struct mr_err err = {0};

    module.stages = stages;
    broken.process = NULL;
    ck_assert_int_eq(mr_stage_module_check(&module, &err), MR_CONFIG);
    broken = echo;
    broken.in = &port;
    port.schema = NULL;
    ck_assert_int_eq(mr_stage_module_check(&module, &err), MR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.text, "without name or schema"));
}
END_TEST

/* ---- fingerprints ---------------------------------------------------------------------------- */

START_TEST(a_fingerprint_sees_the_layout_and_no_help_text)
{
    struct mr_schema_field fields[] = {note_fields[0], note_fields[1]};
    struct mr_schema schema = note_schema;
    const uint64_t before = mr_schema_fingerprint(&note_schema);
    static const char *const symbols[] = {"A", "B"};

    schema.fields = fields;
    schema.json = "{\"doc\": \"other words\"}";
    ck_assert(mr_schema_fingerprint(&schema) == before);
    fields[1].offset = 8;
    ck_assert(mr_schema_fingerprint(&schema) != before);
    fields[1] = note_fields[1];
    fields[1].name = "texts";
    ck_assert(mr_schema_fingerprint(&schema) != before);
    fields[1] = note_fields[1];
    fields[1].nullable = true;
    ck_assert(mr_schema_fingerprint(&schema) != before);
    fields[1] = note_fields[1];
    fields[1].symbols = symbols;
    fields[1].symbol_count = 2;
    ck_assert(mr_schema_fingerprint(&schema) != before);
    fields[1] = note_fields[1];
    fields[1].items = &other_order;
    ck_assert(mr_schema_fingerprint(&schema) != before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("modules");
    TCase *tcase = tcase_create("modules");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_loop_test(tcase, a_path_is_a_stage_of_that_module, 0, (int)MR_COUNT(good_rows));
    tcase_add_loop_test(tcase, what_does_not_fit_is_named_at_the_type, 0, (int)MR_COUNT(bad_rows));
    tcase_add_test(tcase, without_a_loader_a_path_is_refused);
    tcase_add_test(tcase, a_module_of_these_headers_is_taken);
    tcase_add_loop_test(tcase, a_module_of_other_headers_is_refused_with_both_numbers, 0,
                        (int)MR_COUNT(head_rows));
    tcase_add_test(tcase, a_stage_without_its_parts_is_refused);
    tcase_add_test(tcase, a_fingerprint_sees_the_layout_and_no_help_text);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
