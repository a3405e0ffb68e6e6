/*
 * allocations.h -- counts what this test's binary allocates, and refuses it on demand.
 *
 * How: the linker sends calloc and realloc here (--wrap, see CMakeLists.txt and
 * tools/mutants/build.py). Not: for one source file of a binary.
 */
#ifndef TESTS_UNIT_DOMAIN_ALLOCATIONS_H
#define TESTS_UNIT_DOMAIN_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

void *__real_calloc(size_t count, size_t bytes);  /* NOLINT: the linker's names */
void *__real_realloc(void *memory, size_t bytes); /* NOLINT */
void *__wrap_calloc(size_t count, size_t bytes);  /* NOLINT */
void *__wrap_realloc(void *memory, size_t bytes); /* NOLINT */

static long calls;
static long refuse_from = -1; /* this call and all after it; -1: none */
static long refuse_only = -1; /* this call alone; -1: none */

static bool refuses(void)
{
    calls++;
    return (refuse_from >= 0 && calls >= refuse_from) || calls == refuse_only;
}

void *__wrap_calloc(size_t count, size_t bytes) /* NOLINT */
{
    return refuses() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) /* NOLINT */
{
    return refuses() ? NULL : __real_realloc(memory, bytes);
}

#endif
