/* verify_books_report.c -- what verify_books.c found, for people and as JSON. */
#include "load_decimal.h"
#include "verify_books_priv.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define COLUMNS 6

static const char *const columns[COLUMNS] = {"users",    "clearing", "fees",
                                             "external", "sum",      "executedFees"};

static void numbers_of(const struct books_asset *asset, char texts[COLUMNS][LOAD_DECIMAL_TEXT_MAX])
{
    const mr_i128 values[COLUMNS] = {asset->users,
                                     asset->clearing,
                                     asset->fees,
                                     asset->external,
                                     asset->users + asset->clearing + asset->fees + asset->external,
                                     asset->executed_fees};

    for (size_t i = 0; i < COLUMNS; i++) {
        (void)load_decimal_format(values[i], texts[i]);
    }
}

static void write_check(const struct verify_check *check, struct mr_buffer *out)
{
    const char *text = NULL;

    if (verify_check_equal(check)) {
        return;
    }
    mr_buffer_printf(out, "DIFFERENT  %s: %" PRId64 " differences\n", verify_check_name(check),
                     verify_check_differences(check));
    for (size_t i = 0; (text = verify_check_difference(check, i)) != NULL; i++) {
        mr_buffer_printf(out, "           %s\n", text);
    }
}

void verify_books_table(const struct verify_books *b, struct mr_buffer *out)
{
    char texts[COLUMNS][LOAD_DECIMAL_TEXT_MAX];

    mr_buffer_printf(out, "%-8s", "asset");
    for (size_t i = 0; i < COLUMNS; i++) {
        mr_buffer_printf(out, " %24s", columns[i]);
    }
    mr_buffer_printf(out, "\n");
    for (size_t i = 0; i < verify_map_count(b->assets); i++) {
        struct mr_slice name;

        numbers_of(verify_map_at(b->assets, i, &name), texts);
        mr_buffer_printf(out, "%-8.*s", MR_SLICE_ARG(name));
        for (size_t k = 0; k < COLUMNS; k++) {
            mr_buffer_printf(out, " %24s", texts[k]);
        }
        mr_buffer_printf(out, "\n");
    }
    mr_buffer_printf(out,
                     "%" PRId64 " entries, %" PRId64 " of them fills; %" PRId64
                     " fills without entry, %" PRId64 " trades with one leg; %zu balances\n",
                     b->entries, b->trades, b->waiting, b->half, verify_map_count(b->told));
    if (b->executions_trimmed) {
        mr_buffer_printf(out, "executions do not begin at their beginning: entries without a fill, "
                              "and sums of fees, are not compared\n");
    }
    for (size_t i = 0; i < verify_report_count(b->report); i++) {
        write_check(verify_report_at(b->report, i), out);
    }
    mr_buffer_printf(out, "%s\n",
                     verify_report_equal(b->report) ? "the books are right"
                                                    : "the books are NOT right");
}

static json_t *check_json(const struct verify_check *check)
{
    json_t *differences = json_array();
    const char *text = NULL;

    for (size_t i = 0; (text = verify_check_difference(check, i)) != NULL; i++) {
        (void)json_array_append_new(differences, json_string(text));
    }
    return json_pack("{s:s,s:b,s:I,s:o}", "name", verify_check_name(check), "equal",
                     (int)verify_check_equal(check), "differences",
                     (json_int_t)verify_check_differences(check), "first", differences);
}

void verify_books_json(const struct verify_books *b, struct mr_buffer *out)
{
    json_t *assets = json_array();
    json_t *checks = json_array();
    char texts[COLUMNS][LOAD_DECIMAL_TEXT_MAX];

    for (size_t i = 0; i < verify_map_count(b->assets); i++) {
        struct mr_slice name;
        json_t *asset = json_object();

        numbers_of(verify_map_at(b->assets, i, &name), texts);
        (void)json_object_set_new(asset, "asset", json_stringn((const char *)name.data, name.len));
        for (size_t k = 0; k < COLUMNS; k++) {
            (void)json_object_set_new(asset, columns[k], json_string(texts[k]));
        }
        (void)json_array_append_new(assets, asset);
    }
    for (size_t i = 0; i < verify_report_count(b->report); i++) {
        (void)json_array_append_new(checks, check_json(verify_report_at(b->report, i)));
    }
    json_t *root =
        json_pack("{s:b,s:I,s:I,s:I,s:I,s:o,s:o}", "equal", (int)verify_report_equal(b->report),
                  "entries", (json_int_t)b->entries, "fills", (json_int_t)b->trades,
                  "fillsWithoutEntry", (json_int_t)b->waiting, "tradesWithOneLeg",
                  (json_int_t)b->half, "assets", assets, "checks", checks);
    char *text = json_dumps(root, JSON_INDENT(2));

    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}
