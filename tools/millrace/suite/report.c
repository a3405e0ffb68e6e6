/* report.c -- see report.h. */
#include "report.h"

#include <inttypes.h>

void suite_report_begin(struct suite_report *report, FILE *out, bool json)
{
    *report = (struct suite_report){.out = out, .files = json ? json_array() : NULL};
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Each line of the text, moved to the right. */
static void indented(FILE *out, const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        const char *newline = memchr(text + at, '\n', len - at);
        const size_t line = newline == NULL ? len - at : (size_t)(newline - text) - at;

        (void)fprintf(out, "      %.*s\n", (int)line, text + at);
        at += line + 1;
    }
}

static void print_case(const struct suite_report *report, const struct suite_case *played,
                       const struct suite_result *result)
{
    if (result == NULL) {
        (void)fprintf(report->out, "  %s\n", played->name);
        if (played->doc != NULL) {
            indented(report->out, played->doc, strlen(played->doc));
        }
        return;
    }
    (void)fprintf(report->out, "  %-6s %4" PRId64 " ms  %s\n", result->passed ? "ok" : "FAILED",
                  result->us / MR_MS_US, played->name);
    if (!result->passed) {
        indented(report->out, (const char *)result->text.data, result->text.len);
    }
    (void)fflush(report->out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL) {
        (void)json_object_set_new(object, name, json_string(text));
    }
}

static void add_case(const struct suite_report *report, const struct suite_case *played,
                     const struct suite_result *result)
{
    json_t *one = json_object();

    set_text(one, "name", played->name);
    set_text(one, "doc", played->doc);
    (void)json_object_set_new(one, "line", json_integer(played->place.at.line));
    if (result != NULL) {
        (void)json_object_set_new(one, "ok", json_boolean(result->passed));
        (void)json_object_set_new(one, "ms", json_integer(result->us / MR_MS_US));
        (void)json_object_set_new(one, "plays", json_integer(result->plays));
    }
    if (result != NULL && !result->passed) {
        (void)json_object_set_new(
            one, "failure",
            json_pack("{s:s, s:i, s:i, s:o}", "file", result->place.file, "line",
                      result->place.at.line, "column", result->place.at.column, "text",
                      json_stringn((const char *)result->text.data, result->text.len)));
    }
    (void)json_array_append_new(report->cases, one);
}

/* ---- both ------------------------------------------------------------------------------------ */

void suite_report_file(struct suite_report *report, const struct suite *suite)
{
    json_t *file;

    if (report->files == NULL) {
        (void)fprintf(report->out, "%s\n", suite->file);
        return;
    }
    report->cases = json_array();
    file = json_pack("{s:s, s:o}", "file", suite->file, "cases", report->cases);
    set_text(file, "doc", suite->doc);
    (void)json_array_append_new(report->files, file);
}

void suite_report_case(struct suite_report *report, const struct suite_case *played,
                       const struct suite_result *result)
{
    if (result != NULL) {
        report->passed += result->passed ? 1 : 0;
        report->failed += result->passed ? 0 : 1;
        report->us += result->us;
    }
    if (report->files == NULL) {
        print_case(report, played, result);
    } else {
        add_case(report, played, result);
    }
}

void suite_report_end(struct suite_report *report)
{
    const int count = report->passed + report->failed;
    json_t *root;

    if (report->files == NULL) {
        if (count > 0) {
            (void)fprintf(report->out, "%d case%s: %d ok, %d failed, %" PRId64 " ms\n", count,
                          count == 1 ? "" : "s", report->passed, report->failed,
                          report->us / MR_MS_US);
        }
        return;
    }
    root = json_pack("{s:o, s:i, s:i, s:I}", "files", report->files, "ok", report->passed, "failed",
                     report->failed, "ms", (json_int_t)(report->us / MR_MS_US));
    (void)json_dumpf(root, report->out, JSON_COMPACT);
    (void)fprintf(report->out, "\n");
    json_decref(root);
    report->files = NULL;
}
