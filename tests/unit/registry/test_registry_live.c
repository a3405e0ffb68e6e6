/*
 * Goal:   the HTTP registry keeps the same contract against a real server.
 * Method: the contract suite at SCHEMA_REGISTRY_URL, with subjects of this run only; skipped (exit
 *         code 77) where that is not set.
 */
#include "connectors/registry/registry_http.h"
#include "registry_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SKIPPED 77

static struct mr_registry *open_live(void)
{
    struct mr_registry *registry = NULL;
    struct mr_err err = {0};

    ck_assert_msg(mr_registry_http_create(getenv("SCHEMA_REGISTRY_URL"), &registry, &err) == MR_OK,
                  "%s", err.text);
    return registry;
}

int main(void)
{
    char prefix[64];
    Suite *suite = suite_create("registry_live");
    SRunner *runner = NULL;
    int failed = 0;

    if (getenv("SCHEMA_REGISTRY_URL") == NULL) {
        (void)printf("SCHEMA_REGISTRY_URL is not set: skipped\n");
        return EXIT_SKIPPED;
    }
    (void)snprintf(prefix, sizeof(prefix), "contract-%lld-%ld", (long long)time(NULL),
                   (long)getpid());
    suite_add_tcase(suite, registry_contract_tcase(open_live, prefix));
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
