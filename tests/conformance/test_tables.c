/*
 * test_tables.c -- every registered stage describes itself completely.
 *
 * Goal:   names, ports, schemas, stores and options of each stage are what the loader, the docs and
 *         the operators rely on; what is out of range is refused.
 * Method: one loop over mr_stages; the options of each through the parser and through a topology.
 */
#include "stage_world.h"
#include "subjects.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_name(const char *name)
{
    if (name == NULL || name[0] < 'a' || name[0] > 'z' || strlen(name) > 40) {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static bool is_help(const char *help)
{
    return help != NULL && strlen(help) >= 5 && help[strlen(help) - 1] != '.';
}

static bool is_known(const struct mr_schema *schema)
{
    const struct mr_catalog *catalog = subject_catalog();

    for (size_t i = 0; schema != NULL && i < catalog->schema_count; i++) {
        /* A module has the pipeline's records once more. */
        if (strcmp(catalog->schemas[i]->full_name, schema->full_name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_ports(const struct mr_stage *type, const struct mr_port *ports, size_t count,
                        unsigned flags)
{
    for (size_t i = 0; i < count; i++) {
        const struct mr_port *port = &ports[i];

        ck_assert_msg(is_name(port->name), "%s: port %zu has no proper name", type->name, i);
        ck_assert_msg(is_help(port->help), "%s.%s: no help, or one with a full stop", type->name,
                      port->name);
        ck_assert_msg(is_known(port->schema), "%s.%s: schema not in the catalog", type->name,
                      port->name);
        ck_assert_msg((port->flags & ~flags) == 0, "%s.%s: flags of the other direction",
                      type->name, port->name);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(port->name, ports[k].name);
        }
    }
}

START_TEST(a_table_is_well_formed)
{
    const struct mr_stage *type = subject(_i);
    size_t streams = 0;

    ck_assert_msg(is_name(type->name), "stage %d has no proper name", _i);
    ck_assert_msg(is_help(type->help), "%s: no help, or one with a full stop", type->name);
    ck_assert_uint_gt(type->state_size, 0);
    ck_assert_ptr_nonnull((const void *)type->in);
    ck_assert_msg(type->process != NULL, "%s: no process", type->name);
    check_ports(type, type->in, type->in_count,
                MR_PORT_OPTIONAL | MR_PORT_TABLE | MR_PORT_TOMBSTONES);
    check_ports(type, type->out, type->out_count, MR_PORT_OPTIONAL | MR_PORT_LATEST);
    for (size_t i = 0; i < type->in_count; i++) {
        streams += !stage_port_is_table(&type->in[i]);
    }
    ck_assert_msg(streams > 0, "%s: nothing would ever wake it", type->name);
    for (size_t i = 0; i < type->store_count; i++) {
        ck_assert_msg(is_name(type->stores[i].name) && is_help(type->stores[i].help) &&
                          is_known(type->stores[i].schema),
                      "%s: store %zu without name, help or schema of the catalog", type->name, i);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(type->stores[i].name, type->stores[k].name);
        }
    }
    for (int i = 0; i < _i; i++) {
        ck_assert_str_ne(type->name, subject(i)->name);
    }
}
END_TEST

/* ---- options --------------------------------------------------------------------------------- */

static void check_parse(const struct mr_stage *type, const struct mr_option *option,
                        const char *text, enum mr_status want)
{
    void *state = mr_xcalloc(1, type->state_size);
    struct mr_err err = {.text = ""};
    const enum mr_status status = mr_option_parse(option, text, state, &err);

    ck_assert_msg(status == want, "%s: %s: %s gives %s: %s", type->name, option->name, text,
                  mr_status_name(status), err.text);
    free(state);
}

START_TEST(an_option_has_help_a_fallback_and_bounds_that_hold)
{
    const struct mr_stage *type = subject(_i);

    for (size_t i = 0; i < type->option_count; i++) {
        const struct mr_option *option = &type->options[i];
        char text[64];

        ck_assert_msg(is_name(option->name), "%s: option %zu has no proper name", type->name, i);
        ck_assert_msg(is_help(option->help), "%s: %s has no help", type->name, option->name);
        ck_assert_uint_lt(option->offset, type->state_size);
        ck_assert_int_le(option->min, option->max);
        if (option->fallback != NULL) {
            check_parse(type, option, option->fallback, MR_OK);
        }
        if (subject_option_bounded(option)) {
            check_parse(type, option, subject_option_text(option, option->min, text), MR_OK);
            check_parse(type, option, subject_option_text(option, option->max, text), MR_OK);
            check_parse(type, option, subject_option_text(option, option->min - 1, text),
                        MR_CONFIG);
            check_parse(type, option, subject_option_text(option, option->max + 1, text),
                        MR_CONFIG);
        }
        if (option->type != MR_OPTION_STRING) {
            check_parse(type, option, "no such thing", MR_CONFIG);
        }
    }
}
END_TEST

/* The topology with this option: refused at line and column of `at`, or (NULL) taken. */
static void check_loaded(const struct stage_setup *setup, const char *at)
{
    static const char options[] = "    options: {";
    char *text = stage_world_text(setup);
    const char *start = strstr(text, options);
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {.text = ""};
    const enum mr_status status = mr_topology_load_text(
        "generated.yaml", mr_slice_str(text), subject_catalog(), &topology, &problems, &err);
    int line = 1;

    for (const char *c = text; c < start; c++) {
        line += *c == '\n';
    }
    ck_assert_msg((status == MR_OK) == (at == NULL), "%s: {%s} gives %s: %s", setup->type->name,
                  setup->option, mr_status_name(status), err.text);
    if (at != NULL) {
        const struct mr_position position = problems.items[0].position;
        const int column = (int)(sizeof(options) + (size_t)(at - setup->option));

        ck_assert_uint_eq(problems.count, 1);
        ck_assert_msg(position.line == line && position.column == column,
                      "%s: {%s} is refused at %d:%d instead of %d:%d: %s", setup->type->name,
                      setup->option, position.line, position.column, line, column, err.text);
    }
    mr_topology_destroy(&topology);
    mr_problems_fini(&problems);
    free(text);
}

static void check_value(const struct mr_stage *type, const struct mr_option *option,
                        const char *value, bool good)
{
    char line[200];
    const struct stage_setup setup = {
        .type = type, .partitions = 1, .commit_records = 1, .option = line};

    snprintf(line, sizeof(line), "%s: \"%s\"", option->name, value);
    check_loaded(&setup, good ? NULL : strchr(line, '"'));
}

static void check_values(const struct mr_stage *type, const struct mr_option *option)
{
    char text[64];

    if (subject_option_bounded(option)) {
        check_value(type, option, subject_option_text(option, option->min, text), true);
        check_value(type, option, subject_option_text(option, option->max, text), true);
        check_value(type, option, subject_option_text(option, option->min - 1, text), false);
        check_value(type, option, subject_option_text(option, option->max + 1, text), false);
    }
    if (option->type == MR_OPTION_BOOL) {
        check_value(type, option, "true", true);
        check_value(type, option, "false", true);
    }
    for (size_t i = 0; option->type == MR_OPTION_ENUM && option->symbols[i] != NULL; i++) {
        check_value(type, option, option->symbols[i], true);
    }
    if (option->type != MR_OPTION_STRING) {
        check_value(type, option, "no such thing", false);
        check_value(type, option, "99999999999999999999999999999999", false);
        check_value(type, option, "1e3", false);
    }
}

/* Nothing but what an option takes gets past the loader, and it says where that stands. */
START_TEST(a_topology_takes_an_option_within_its_bounds_only)
{
    const struct mr_stage *type = subject(_i);
    const struct stage_setup unknown = {
        .type = type, .partitions = 1, .commit_records = 1, .option = "no-such-option: 1"};

    check_loaded(&unknown, unknown.option);
    for (size_t i = 0; i < type->option_count; i++) {
        check_values(type, &type->options[i]);
    }
}
END_TEST

START_TEST(a_stage_starts_alone_and_stops)
{
    const struct stage_setup setup = {.type = subject(_i), .partitions = 2, .commit_records = 100};
    struct mr_world *world = stage_world_create(&setup);

    mr_world_start(world);
    mr_world_settle(world);
    ck_assert_int_eq(mr_world_restarts(world), 0);
    mr_world_stop(world);
    mr_world_destroy(&world);
}
END_TEST

/* At an edge of an option's range a stage must start and take a record, or say that it cannot. */
START_TEST(a_stage_runs_at_the_edges_of_its_options)
{
    const struct mr_stage *type = subject(_i);

    for (size_t i = 0; i < type->option_count; i++) {
        const struct mr_option *option = &type->options[i];

        for (int high = 0; high < 2 && subject_option_bounded(option); high++) {
            char line[160];
            char text[64];
            const struct stage_setup setup = {
                .type = type, .partitions = 1, .commit_records = 10, .option = line};
            struct mr_world *world;

            snprintf(line, sizeof(line), "%s: \"%s\"", option->name,
                     subject_option_text(option, high ? option->max : option->min, text));
            world = stage_world_create(&setup);
            stage_world_feed(world, &setup, 3);
            mr_world_settle(world);
            ck_assert_msg(mr_world_restarts(world) == 0, "%s: %s", type->name, line);
            mr_world_check_state(world);
            mr_world_destroy(&world);
        }
    }
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("conformance: tables");
    TCase *tcase = tcase_create("every stage");
    int stages;
    SRunner *runner;
    int failed;

    subjects_init(argc, argv);
    stages = subject_count();
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_table_is_well_formed, 0, stages);
    tcase_add_loop_test(tcase, an_option_has_help_a_fallback_and_bounds_that_hold, 0, stages);
    tcase_add_loop_test(tcase, a_topology_takes_an_option_within_its_bounds_only, 0, stages);
    tcase_add_loop_test(tcase, a_stage_starts_alone_and_stops, 0, stages);
    tcase_add_loop_test(tcase, a_stage_runs_at_the_edges_of_its_options, 0, stages);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
