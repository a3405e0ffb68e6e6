/*
 * Goal:   the in-memory backend passes the contract of backends.
 * Method: the shared suite; nothing outlives this backend, so it is never reopened.
 */
#include "contract.h"

static struct mr_backend *open_memory(void)
{
    return mr_backend_memory_create();
}

int main(void)
{
    static const struct backend_fixture fixture = {.open = open_memory};
    Suite *suite = suite_create("backend memory");

    backend_contract_add(suite, &fixture);
    return backend_contract_run(suite);
}
