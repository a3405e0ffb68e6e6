/*
 * Goal:   each subject of a topology is compared with what the registry has; what cannot follow is
 * named with topic, version and field. Method: the registry in memory, and a topology whose topic
 * `mine` carries a schema with fields; a table of registered versions says what must come out.
 */
#include "fake_catalog.h"
#include "subjects.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#define RECORD(fields)                                                                             \
    "{\"type\":\"record\",\"namespace\":\"fake\",\"name\":\"Mine\",\"fields\":[" fields "]}"
#define A "{\"name\":\"a\",\"type\":\"string\"}"
#define B "{\"name\":\"b\",\"type\":\"long\"}"
#define B_TEXT "{\"name\":\"b\",\"type\":\"string\"}"
#define B_DEFAULT "{\"name\":\"b\",\"type\":\"long\",\"default\":0}"
#define C "{\"name\":\"c\",\"type\":\"int\"}"

static const char text[] = "application: shop\n"
                           "defaults: {partitions: 1, replication: 1}\n"
                           "topics:\n"
                           "  in: {key: userId, value: Order}\n"
                           "  end: {key: userId, value: Fill}\n"
                           "  mine: {key: a, value: Mine}\n"
                           "stages:\n"
                           "  b: {type: book, in: {orders: in}, out: {fills: end}}\n"
                           "groups:\n"
                           "  g: {stages: [b]}\n";

static const struct row {
    const char *why;
    const char *registered[3]; /* oldest first */
    const char *schema;
    bool transitive;
    enum subject_state state;
    int32_t version;
    const char *words;
} rows[] = {
    {"nothing there", {0}, RECORD(A), false, SUBJECT_NEW, 0, ""},
    {"the same text", {RECORD(A)}, RECORD(A), false, SUBJECT_SAME, 1, ""},
    {"a field more, with default",
     {RECORD(A)},
     RECORD(A "," B_DEFAULT),
     false,
     SUBJECT_COMPATIBLE,
     1,
     ""},
    {"a field more, without",
     {RECORD(A)},
     RECORD(A "," B),
     false,
     SUBJECT_INCOMPATIBLE,
     1,
     "field b of Mine has no default"},
    {"a field less", {RECORD(A "," C)}, RECORD(A), false, SUBJECT_COMPATIBLE, 1, ""},
    {"another type", {RECORD(A "," B_TEXT)}, RECORD(A "," B), false, SUBJECT_INCOMPATIBLE, 1, "b"},
    {"the latest has the field",
     {RECORD(A), RECORD(A "," B_DEFAULT)},
     RECORD(A "," B),
     false,
     SUBJECT_COMPATIBLE,
     2,
     ""},
    {"the one before has not",
     {RECORD(A), RECORD(A "," B_DEFAULT)},
     RECORD(A "," B),
     true,
     SUBJECT_INCOMPATIBLE,
     1,
     "field b of Mine has no default"},
    {"an older version comes back",
     {RECORD(A), RECORD(A "," B_DEFAULT)},
     RECORD(A),
     false,
     SUBJECT_SAME,
     2,
     ""},
    {"all of them",
     {RECORD(A), RECORD(A "," B_DEFAULT)},
     RECORD(A "," B_DEFAULT),
     true,
     SUBJECT_SAME,
     2,
     ""},
};

static struct mr_schema mine = {.name = "Mine", .full_name = "fake.Mine", .event_us_offset = -1};

static struct mr_topology *load(const char *schema)
{
    static const struct mr_schema *schemas[8];
    struct mr_catalog catalog = fake_catalog;
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};

    mine.json = schema;
    memcpy(schemas, fake_catalog.schemas, fake_catalog.schema_count * sizeof(*schemas));
    schemas[fake_catalog.schema_count] = &mine;
    catalog.schemas = schemas;
    catalog.schema_count = fake_catalog.schema_count + 1;
    ck_assert_msg(mr_topology_load_text("t.yaml", mr_slice_str(text), &catalog, &topology,
                                        &problems, &err) == MR_OK,
                  "%s", err.text);
    return topology;
}

static void register_versions(struct mr_registry *registry, const char *const *versions)
{
    struct mr_err err = {0};
    int32_t id = 0;

    for (size_t i = 0; versions[i] != NULL; i++) {
        ck_assert_int_eq(
            registry->ops->register_schema(registry, "mine-value", versions[i], &id, &err), MR_OK);
    }
}

static const struct subject_item *item_of(const struct subject_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->items[i].name, name) == 0) {
            return &report->items[i];
        }
    }
    ck_abort_msg("no subject %s", name);
    return NULL;
}

START_TEST(a_schema_is_compared_with_what_is_registered)
{
    const struct row *row = &rows[_i];
    struct mr_registry *registry = mr_registry_memory_create();
    struct mr_topology *topology = load(row->schema);
    struct subject_report report = {0};
    struct mr_err err = {0};

    register_versions(registry, row->registered);
    ck_assert_int_eq(subjects_check(topology, registry, row->transitive, &report, &err), MR_OK);
    const struct subject_item *item = item_of(&report, "mine-value");
    ck_assert_msg(item->state == row->state && item->version == row->version,
                  "%s: state %d, version %d, %s", row->why, (int)item->state, (int)item->version,
                  item->text);
    ck_assert_msg(strstr(item->text, row->words) != NULL, "%s: %s", row->why, item->text);
    ck_assert_str_eq(item->topic, "mine");
    subjects_fini(&report);
    mr_topology_destroy(&topology);
    mr_registry_destroy(&registry);
}
END_TEST

START_TEST(a_level_of_the_registry_that_asks_for_more_is_told)
{
    static const char *const versions[] = {RECORD(A "," C), NULL};
    struct mr_registry *registry = mr_registry_memory_create();
    struct mr_topology *topology = load(RECORD(A));
    struct subject_report report = {0};
    struct mr_err err = {0};

    register_versions(registry, versions);
    ck_assert_int_eq(registry->ops->set_compatibility(registry, "mine-value", "FULL", &err), MR_OK);
    ck_assert_int_eq(subjects_check(topology, registry, false, &report, &err), MR_OK);
    const struct subject_item *item = item_of(&report, "mine-value");
    ck_assert_int_eq(item->state, SUBJECT_INCOMPATIBLE);
    ck_assert_ptr_nonnull(strstr(item->text, "the registry refuses it"));
    subjects_fini(&report);
    mr_topology_destroy(&topology);
    mr_registry_destroy(&registry);
}
END_TEST

START_TEST(every_subject_is_there_once_those_of_stores_too)
{
    struct mr_registry *registry = mr_registry_memory_create();
    struct mr_topology *topology = load(RECORD(A));
    struct subject_report report = {0};
    struct mr_err err = {0};

    ck_assert_int_eq(subjects_check(topology, registry, true, &report, &err), MR_OK);
    ck_assert_uint_eq(report.count, 4); /* both stores hold the same schema */
    ck_assert_uint_eq(subjects_count(&report, SUBJECT_NEW), 4);
    const struct subject_item *store = item_of(&report, "shop-b-changelog-fake.State");
    ck_assert_str_eq(store->topic, "shop-b-changelog");
    ck_assert_int_eq(store->position.line, 8);
    json_t *list = subjects_json(topology, &report);
    ck_assert_uint_eq(json_array_size(list), 4);
    ck_assert(json_is_null(json_object_get(json_array_get(list, 0), "version")));
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "state")), "new");
    json_decref(list);
    subjects_fini(&report);
    mr_topology_destroy(&topology);
    mr_registry_destroy(&registry);
}
END_TEST

START_TEST(what_breaks_is_printed_where_it_stands)
{
    static const char *const versions[] = {RECORD(A), NULL};
    struct mr_registry *registry = mr_registry_memory_create();
    struct mr_topology *topology = load(RECORD(A "," B));
    struct subject_report report = {0};
    struct mr_err err = {0};
    char *printed = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&printed, &bytes);

    ck_assert_ptr_nonnull(out);
    register_versions(registry, versions);
    ck_assert_int_eq(subjects_check(topology, registry, false, &report, &err), MR_OK);
    subjects_print(topology, &report, out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(printed, "t.yaml:6:3: topic mine, subject mine-value, version 1: "
                                          "schema Mine cannot follow: field b of Mine"));
    ck_assert_ptr_nonnull(strstr(printed, "new             subject in-value\n"));
    ck_assert_ptr_nonnull(
        strstr(printed, "subjects: 3 new, 0 as registered, 0 compatible, 1 incompatible\n"));
    free(printed);
    subjects_fini(&report);
    mr_topology_destroy(&topology);
    mr_registry_destroy(&registry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("subjects");
    TCase *tcase = tcase_create("subjects");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_schema_is_compared_with_what_is_registered, 0,
                        (int)MR_COUNT(rows));
    tcase_add_test(tcase, a_level_of_the_registry_that_asks_for_more_is_told);
    tcase_add_test(tcase, every_subject_is_there_once_those_of_stores_too);
    tcase_add_test(tcase, what_breaks_is_printed_where_it_stands);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
