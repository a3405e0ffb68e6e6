/*
 * Goal:   the registry in memory behaves as a server does.
 * Method: the contract suite on a fresh registry for each test; levels that only it is asked for.
 */
#include "millrace/status.h"
#include "registry_contract.h"

#include <stdlib.h>

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define A "{\"name\":\"a\",\"type\":\"int\"}"
#define B "{\"name\":\"b\",\"type\":\"int\"}"
#define B_DEFAULT "{\"name\":\"b\",\"type\":\"int\",\"default\":0}"

struct level_case {
    const char *level;
    const char *versions[3]; /* accepted in order; the last one is the candidate */
    bool accepted;
    const char *why;
};

static const struct level_case CASES[] = {
    {"NONE", {RECORD(A), RECORD(A "," B)}, true, "anything goes"},
    {"FORWARD", {RECORD(A), RECORD(A "," B)}, true, "old readers skip the added field"},
    {"FORWARD", {RECORD(A "," B), RECORD(A)}, false, "old readers need the removed field"},
    {"FULL", {RECORD(A), RECORD(A "," B_DEFAULT)}, true, "both ways"},
    {"FULL", {RECORD(A), RECORD(A "," B)}, false, "the new reader needs b"},
    {"FULL", {RECORD(A "," B), RECORD(A)}, false, "the old reader needs b"},
    {"BACKWARD",
     {RECORD(A), RECORD(A "," B_DEFAULT), RECORD(A "," B)},
     true,
     "the latest has b, though the first had not"},
    {"BACKWARD_TRANSITIVE",
     {RECORD(A), RECORD(A "," B_DEFAULT), RECORD(A "," B)},
     false,
     "the first had no b"},
};

START_TEST(a_level_checks_its_directions)
{
    const struct level_case *c = &CASES[_i];
    struct mr_registry *registry = mr_registry_memory_create();
    const size_t last = c->versions[2] == NULL ? 1 : 2;
    struct mr_err err = {0};
    int32_t id = 0;
    bool compatible = false;

    ck_assert_int_eq(registry->ops->set_compatibility(registry, "s", c->level, &err), MR_OK);
    for (size_t i = 0; i < last; i++) {
        ck_assert_int_eq(registry->ops->register_schema(registry, "s", c->versions[i], &id, &err),
                         MR_OK);
    }
    ck_assert_int_eq(registry->ops->compatible(registry, "s", c->versions[last], &compatible, &err),
                     MR_OK);
    ck_assert_msg(compatible == c->accepted, "%s: %s", c->level, c->why);
    ck_assert_int_eq(registry->ops->register_schema(registry, "s", c->versions[last], &id, &err),
                     c->accepted ? MR_OK : MR_EXISTS);
    mr_registry_destroy(&registry);
    ck_assert_ptr_null(registry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry_memory");
    TCase *tcase = tcase_create("levels");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, a_level_checks_its_directions, 0, (int)MR_COUNT(CASES));
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, registry_contract_tcase(mr_registry_memory_create, "memory"));
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
