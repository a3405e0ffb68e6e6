/* status.c -- names, classes and messages of failures. See millrace/status.h for the why. */
#include "millrace/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *text;
    enum mr_class class;
} table[] = {
#define X(name, class, text) [MR_##name] = {#name, text, MR_CLASS_##class},
    MR_STATUS_MAP(X)
#undef X
};

const char *mr_status_name(enum mr_status status)
{
    MR_ASSERT((size_t)status < MR_COUNT(table));
    return table[status].name;
}

const char *mr_status_text(enum mr_status status)
{
    MR_ASSERT((size_t)status < MR_COUNT(table));
    return table[status].text;
}

enum mr_class mr_status_class(enum mr_status status)
{
    MR_ASSERT((size_t)status < MR_COUNT(table));
    return table[status].class;
}

const char *mr_class_name(enum mr_class status_class)
{
    static const char *const names[] = {
        [MR_CLASS_OK] = "ok",       [MR_CLASS_POISON] = "poison", [MR_CLASS_RETRY] = "retry",
        [MR_CLASS_ABORT] = "abort", [MR_CLASS_FATAL] = "fatal",
    };

    MR_ASSERT((size_t)status_class < MR_COUNT(names));
    return names[status_class];
}

enum mr_status mr_fail(struct mr_err *err, enum mr_status status, const char *fmt, ...)
{
    va_list args;

    MR_ASSERT(err != NULL);
    MR_ASSERT(status != MR_OK);
    err->status = status;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    return status;
}

_Noreturn void mr_out_of_memory(size_t bytes)
{
    (void)fprintf(stderr, "millrace: out of memory: %zu bytes\n", bytes);
    _Exit(EXIT_FAILURE); /* no exit handlers: they might want memory */
}

_Noreturn void mr_assert_fail(const char *expr, const char *file, int line, const char *func)
{
    (void)fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, func, expr);
    abort();
}
