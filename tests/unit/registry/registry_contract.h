/* registry_contract.h -- what every registry must do; one suite for each implementation. */
#ifndef TESTS_REGISTRY_CONTRACT_H
#define TESTS_REGISTRY_CONTRACT_H

#include "millrace/registry.h"

#include <check.h>

/* A fresh connection to the registry under test; called once for each test. */
typedef struct mr_registry *(*registry_opener)(void);

/* Subjects carry the prefix, so that a server that remembers does not disturb a later run. */
TCase *registry_contract_tcase(registry_opener opener, const char *prefix);

#endif
