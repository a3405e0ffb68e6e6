/* top_json.c -- `millrace top --json`. See top_view.h. */
#include "top_view.h"

#include <stdlib.h>

static json_t *number(int64_t value)
{
    return value < 0 ? json_null() : json_integer(value);
}

/* Per second, exact to three places. */
static json_t *rate(int64_t milli)
{
    return milli < 0 ? json_null() : json_real((double)milli / 1000);
}

static json_t *task_json(const struct top_row *row)
{
    return json_pack("{s:I,s:s,s:o,s:o,s:o}", "partition", (json_int_t)row->partition, "state",
                     row->state, "lag", number(row->lag), "inPerSecond", rate(row->in_milli),
                     "restoreLeft", number(row->restore_left));
}

static json_t *unit_json(const struct top_row *row)
{
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:[]}", "unit",
        row->unit, "kind", row->is_worker ? "worker" : "connector", "group", row->group, "instance",
        row->instance, "address", row->address, "ready", row->ready, "state", row->state,
        "waitsFor", row->waits_for, "lag", number(row->lag), "inPerSecond", rate(row->in_milli),
        "outPerSecond", rate(row->out_milli), "commitsPerSecond", rate(row->commits_milli),
        "commitP50Us", number(row->p50_us), "commitP99Us", number(row->p99_us), "aborts",
        number(row->aborts), "deadLetters", number(row->dead_letters), "restoreLeft",
        number(row->restore_left), "restoreSecondsLeft", number(row->restore_seconds), "tasks");
}

static json_t *totals_json(const struct top_totals *totals)
{
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I}", "processesAsked",
        (json_int_t)totals->asked, "processesAnswered", (json_int_t)totals->answered, "tasks",
        (json_int_t)totals->tasks, "tasksReady", (json_int_t)totals->tasks_ready, "lag",
        number(totals->lag), "inPerSecond", rate(totals->in_milli), "outPerSecond",
        rate(totals->out_milli), "commitsPerSecond", rate(totals->commits_milli), "commitP99Us",
        number(totals->p99_us), "aborts", (json_int_t)totals->aborts, "deadLetters",
        (json_int_t)totals->dead_letters, "restoreLeft", (json_int_t)totals->restore_left);
}

void top_json_write(const struct top_table *table, const struct see_status *status,
                    struct mr_buffer *out)
{
    json_t *units = json_array();
    json_t *unreachable = json_array();
    json_t *unit = NULL;
    json_t *root;
    char *text;

    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].partition < 0) {
            unit = unit_json(&table->rows[i]);
            (void)json_array_append_new(units, unit);
        } else {
            (void)json_array_append_new(json_object_get(unit, "tasks"), task_json(&table->rows[i]));
        }
    }
    for (size_t i = 0; i < status->count; i++) {
        if (status->documents[i].root == NULL) {
            (void)json_array_append_new(
                unreachable, json_pack("{s:s,s:s}", "address", status->documents[i].address,
                                       "error", status->documents[i].error));
        }
    }
    root = json_pack("{s:o,s:o,s:o}", "totals", totals_json(&table->totals), "units", units,
                     "unreachable", unreachable);
    text = json_dumps(root, JSON_COMPACT);
    mr_buffer_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}
