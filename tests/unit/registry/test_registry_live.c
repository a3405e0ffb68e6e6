/*
 * Goal:   the HTTP registry keeps the same contract against a real server.
 * Method: the contract suite and all schemas at SCHEMA_REGISTRY_URL, with subjects of this run
 * only; skipped (exit code 77) where that is not set.
 */
#include "avro/catalog.h"
#include "connectors/registry/registry_http.h"
#include "registry_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SKIPPED 77

static char prefix[64];

static struct mr_registry *open_live(void)
{
    struct mr_registry *registry = NULL;
    struct mr_err err = {0};

    ck_assert_msg(mr_registry_http_create(getenv("SCHEMA_REGISTRY_URL"), &registry, &err) == MR_OK,
                  "%s", err.text);
    return registry;
}

/* The names end in the prefix's run, so that each run asks the server anew. */
START_TEST(every_schema_of_ours_is_taken_and_found_again)
{
    const struct mr_schema *schema = oms_schemas[_i];
    struct mr_registry *registry = open_live();
    struct mr_err err = {0};
    char subject[128];
    int32_t id = 0;
    int32_t found = 0;
    char *json = NULL;

    (void)snprintf(subject, sizeof(subject), "%s-%s-value", prefix, schema->name);
    ck_assert_msg(registry->ops->set_compatibility(registry, subject, "BACKWARD", &err) == MR_OK,
                  "%s", err.text);
    ck_assert_msg(registry->ops->register_schema(registry, subject, schema->json, &id, &err) ==
                      MR_OK,
                  "%s", err.text);
    ck_assert_int_eq(registry->ops->lookup(registry, subject, schema->json, &found, &err), MR_OK);
    ck_assert_int_eq(found, id);
    ck_assert_int_eq(registry->ops->schema_by_id(registry, id, &json, &err), MR_OK);
    ck_assert_ptr_nonnull(strstr(json, schema->name));
    free(json);
    mr_registry_destroy(&registry);
}
END_TEST

int main(void)
{
    Suite *suite = NULL;
    TCase *tcase = NULL;
    SRunner *runner = NULL;
    int failed = 0;

    if (getenv("SCHEMA_REGISTRY_URL") == NULL) {
        (void)printf("SCHEMA_REGISTRY_URL is not set: skipped\n");
        return EXIT_SKIPPED;
    }
    suite = suite_create("registry_live");
    (void)snprintf(prefix, sizeof(prefix), "contract-%lld-%ld", (long long)time(NULL),
                   (long)getpid());
    suite_add_tcase(suite, registry_contract_tcase(open_live, prefix));
    tcase = tcase_create("ours");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_schema_of_ours_is_taken_and_found_again, 0,
                        (int)oms_schema_count);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
