/* apply_report.c -- what apply did, for people and for programs. */
#include "apply.h"

#include <jansson.h>
#include <stdlib.h>

void apply_report_fini(struct apply_report *report)
{
    free(report->items);
    *report = (struct apply_report){0};
}

size_t apply_report_count(const struct apply_report *report, bool subject, enum apply_action action)
{
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++) {
        count += report->items[i].subject == subject && report->items[i].action == action;
    }
    return count;
}

static const char *verb(const struct apply_report *report, const struct apply_item *item)
{
    switch (item->action) {
    case APPLY_SAME:
        return "as declared";
    case APPLY_CREATE:
        if (item->subject) {
            return report->changed ? "registered" : "would register";
        }
        return report->changed ? "created" : "would create";
    case APPLY_ALTER:
        return report->changed ? "altered" : "would alter";
    case APPLY_REFUSED:
        return "refused";
    }
    return "";
}

static void print_summary(const struct apply_report *report, bool subject, FILE *out)
{
    (void)fprintf(out, "%s: %zu %s%s, %zu altered, %zu as declared, %zu refused\n",
                  subject ? "subjects" : "topics",
                  apply_report_count(report, subject, APPLY_CREATE),
                  subject ? "registered" : "created", report->changed ? "" : " if applied",
                  apply_report_count(report, subject, APPLY_ALTER),
                  apply_report_count(report, subject, APPLY_SAME),
                  apply_report_count(report, subject, APPLY_REFUSED));
}

void apply_report_text(const struct apply_report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct apply_item *item = &report->items[i];
        if (item->action == APPLY_SAME) {
            continue;
        }
        (void)fprintf(out, "%-15s %s %s%s%s\n", verb(report, item),
                      item->subject ? "subject" : "topic", item->name,
                      item->detail[0] != '\0' ? ": " : "", item->detail);
    }
    print_summary(report, false, out);
    print_summary(report, true, out);
}

void apply_report_json(const struct apply_report *report, FILE *out)
{
    static const char *const actions[] = {[APPLY_SAME] = "same",
                                          [APPLY_CREATE] = "create",
                                          [APPLY_ALTER] = "alter",
                                          [APPLY_REFUSED] = "refused"};
    json_t *list = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct apply_item *item = &report->items[i];
        json_t *object =
            json_pack("{s:s,s:s,s:s,s:s}", "kind", item->subject ? "subject" : "topic", "name",
                      item->name, "action", actions[item->action], "detail", item->detail);
        if (item->subject && item->schema_id > 0) {
            (void)json_object_set_new(object, "schema_id", json_integer(item->schema_id));
        }
        (void)json_array_append_new(list, object);
    }
    json_t *root = json_pack("{s:b,s:o}", "changed", (int)report->changed, "items", list);
    (void)json_dumpf(root, out, JSON_INDENT(2));
    (void)fprintf(out, "\n");
    json_decref(root);
}
