/*
 * verify_report.c -- see verify_report.h.
 */
#include "verify_report.h"

#include "millrace/arena.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#define CHECKS_MAX 128
#define NOTES_MAX 32
#define NAME_BYTES_MAX 64
#define TEXT_BYTES_MAX 320
#define US_PER_S 1000000

struct verify_check {
    char name[NAME_BYTES_MAX];
    char expected[NAME_BYTES_MAX];
    char actual[NAME_BYTES_MAX];
    bool numeric;
    bool equal;
    int64_t expected_number, actual_number;
    int64_t differences;
    char texts[VERIFY_DIFFERENCES_SHOWN][TEXT_BYTES_MAX];
};

struct verify_report {
    struct verify_check checks[CHECKS_MAX];
    size_t count;
    char note_names[NOTES_MAX][NAME_BYTES_MAX];
    int64_t note_values[NOTES_MAX];
    size_t note_count;
};

struct verify_report *verify_report_create(void)
{
    return mr_xcalloc(1, sizeof(struct verify_report));
}

void verify_report_destroy(struct verify_report **report)
{
    free(*report);
    *report = NULL;
}

struct verify_check *verify_check_open(struct verify_report *report, const char *name)
{
    struct verify_check *check = &report->checks[report->count];

    MR_ASSERT(report->count < CHECKS_MAX);
    report->count++;
    (void)snprintf(check->name, sizeof check->name, "%s", name);
    return check;
}

void verify_differ(struct verify_check *check, const char *fmt, ...)
{
    if (check->differences < VERIFY_DIFFERENCES_SHOWN) {
        va_list args;

        va_start(args, fmt);
        (void)vsnprintf(check->texts[check->differences], TEXT_BYTES_MAX, fmt, args);
        va_end(args);
    }
    check->differences++;
}

void verify_check_close(struct verify_check *check, int64_t expected, int64_t actual)
{
    check->numeric = true;
    check->expected_number = expected;
    check->actual_number = actual;
    (void)snprintf(check->expected, sizeof check->expected, "%" PRId64, expected);
    (void)snprintf(check->actual, sizeof check->actual, "%" PRId64, actual);
    check->equal = expected == actual && check->differences == 0;
}

void verify_check_close_text(struct verify_check *check, const char *expected, const char *actual)
{
    (void)snprintf(check->expected, sizeof check->expected, "%s", expected);
    (void)snprintf(check->actual, sizeof check->actual, "%s", actual);
    check->equal = strcmp(expected, actual) == 0 && check->differences == 0;
}

size_t verify_report_count(const struct verify_report *report)
{
    return report->count;
}

const struct verify_check *verify_report_at(const struct verify_report *report, size_t index)
{
    MR_ASSERT(index < report->count);
    return &report->checks[index];
}

const char *verify_check_name(const struct verify_check *check)
{
    return check->name;
}

bool verify_report_equal(const struct verify_report *report)
{
    bool equal = report->count > 0;

    for (size_t i = 0; i < report->count; i++) {
        equal = equal && report->checks[i].equal;
    }
    return equal;
}

const struct verify_check *verify_report_find(const struct verify_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->checks[i].name, name) == 0) {
            return &report->checks[i];
        }
    }
    return NULL;
}

bool verify_check_equal(const struct verify_check *check)
{
    return check->equal;
}

int64_t verify_check_differences(const struct verify_check *check)
{
    return check->differences;
}

const char *verify_check_difference(const struct verify_check *check, size_t index)
{
    if (index >= VERIFY_DIFFERENCES_SHOWN || (int64_t)index >= check->differences) {
        return NULL;
    }
    return check->texts[index];
}

void verify_report_note(struct verify_report *report, const char *name, int64_t value)
{
    MR_ASSERT(report->note_count < NOTES_MAX);
    (void)snprintf(report->note_names[report->note_count], NAME_BYTES_MAX, "%s", name);
    report->note_values[report->note_count] = value;
    report->note_count++;
}

static int64_t orders_per_second(const struct load_manifest *manifest)
{
    return manifest->elapsed_us <= 0
               ? 0
               : (int64_t)((mr_i128)manifest->sent * US_PER_S / manifest->elapsed_us);
}

static void print_differences(const struct verify_check *check, FILE *out)
{
    for (size_t i = 0; verify_check_difference(check, i) != NULL; i++) {
        (void)fprintf(out, "  %s: %s\n", check->name, check->texts[i]);
    }
    if (check->differences > VERIFY_DIFFERENCES_SHOWN) {
        (void)fprintf(out, "  %s: ... %" PRId64 " differences in all\n", check->name,
                      check->differences);
    }
}

void verify_report_print(const struct verify_report *report, const struct load_manifest *manifest,
                         FILE *out)
{
    (void)fprintf(out, "\n%-44s %16s %16s\n", "check", "expected", "actual");
    for (size_t i = 0; i < report->count; i++) {
        const struct verify_check *check = &report->checks[i];

        (void)fprintf(out, "%-44s %16s %16s  %s\n", check->name, check->expected, check->actual,
                      check->equal ? "ok" : "DIFFERS");
    }
    (void)fprintf(out, "\n");
    for (size_t i = 0; i < report->note_count; i++) {
        (void)fprintf(out, "%-44s %16" PRId64 "\n", report->note_names[i], report->note_values[i]);
    }
    (void)fprintf(out, "%-44s %16" PRId64 "\n", "commands sent", manifest->sent);
    (void)fprintf(out, "%-44s %16" PRId64 "\n", "orders/s, first send to last outcome",
                  orders_per_second(manifest));
    (void)fprintf(out, "%-44s %16.1f\n", "order to execution, P50 ms",
                  (double)manifest->p50_us / 1000.0);
    (void)fprintf(out, "%-44s %16.1f\n", "order to execution, P99 ms",
                  (double)manifest->p99_us / 1000.0);
    (void)fprintf(out, "%-44s %16.1f\n", "seconds", (double)manifest->elapsed_us / 1e6);
    for (size_t i = 0; i < report->count; i++) {
        if (!report->checks[i].equal) {
            print_differences(&report->checks[i], out);
        }
    }
    (void)fprintf(out, "\n%s\n",
                  verify_report_equal(report) ? "verified: every check is equal"
                                              : "NOT verified: see the differences");
    (void)fflush(out);
}

static json_t *check_json(const struct verify_check *check)
{
    json_t *object = json_object();
    json_t *differences = json_array();

    (void)json_object_set_new(object, "name", json_string(check->name));
    (void)json_object_set_new(object, "equal", json_boolean(check->equal));
    (void)json_object_set_new(object, "expected",
                              check->numeric ? json_integer(check->expected_number)
                                             : json_string(check->expected));
    (void)json_object_set_new(object, "actual",
                              check->numeric ? json_integer(check->actual_number)
                                             : json_string(check->actual));
    for (size_t i = 0; verify_check_difference(check, i) != NULL; i++) {
        (void)json_array_append_new(differences, json_string(check->texts[i]));
    }
    if (check->differences > 0) {
        (void)json_object_set(object, "differences", differences);
    }
    json_decref(differences);
    return object;
}

enum mr_status verify_report_write(const struct verify_report *report,
                                   const struct load_manifest *manifest, int64_t verify_us,
                                   const char *path, struct mr_err *err)
{
    json_t *checks;
    json_t *counts;
    json_t *root;
    int failed;

    MR_TRY(load_make_parents(path, err));
    checks = json_array();
    counts = json_object();
    for (size_t i = 0; i < report->count; i++) {
        (void)json_array_append_new(checks, check_json(&report->checks[i]));
    }
    (void)json_object_set_new(counts, "sent", json_integer(manifest->sent));
    for (size_t i = 0; i < report->note_count; i++) {
        (void)json_object_set_new(counts, report->note_names[i],
                                  json_integer(report->note_values[i]));
    }
    root = json_pack(
        "{s:s, s:b, s:o, s:o, s:I, s:f, s:{s:f, s:f, s:f, s:I}, s:f}", "run", manifest->run,
        "equal", (int)verify_report_equal(report), "checks", checks, "counts", counts,
        "ordersPerSecond", (json_int_t)orders_per_second(manifest), "seconds",
        (double)manifest->elapsed_us / 1e6, "latencyMs", "p50", (double)manifest->p50_us / 1000.0,
        "p99", (double)manifest->p99_us / 1000.0, "max", (double)manifest->max_us / 1000.0,
        "samples", (json_int_t)manifest->latency_samples, "verifySeconds", (double)verify_us / 1e6);
    MR_ASSERT(root != NULL);
    failed = json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(root);
    if (failed != 0) {
        return mr_fail(err, MR_CONFIG, "cannot write %s: %s", path, strerror(errno));
    }
    return MR_OK;
}
