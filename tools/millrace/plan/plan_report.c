/* plan_report.c -- a plan for people and for programs. */
#include "plan.h"

#include <inttypes.h>
#include <jansson.h>

static const char signs[PLAN_ACTIONS] = {
    [PLAN_KEEP] = '=',    [PLAN_CREATE] = '+', [PLAN_CHANGE] = '~', [PLAN_MOVE] = '>',
    [PLAN_REBUILD] = '%', [PLAN_ORPHAN] = '?', [PLAN_REFUSE] = '!',
};

static void tell(const struct plan_item *item, FILE *out)
{
    (void)fprintf(out, "  %c %-9s %-34s %s\n", signs[item->action], item->kind, item->name,
                  item->detail);
    if (item->loss[0] != '\0') {
        (void)fprintf(out, "    %-9s %-34s to do it all the same: --allow-loss %s\n", "", "",
                      item->loss);
    }
}

static void tell_rests(const struct plan *plan, FILE *out)
{
    for (size_t i = 0; i < plan->rest_count; i++) {
        if (plan->rests[i].members > 0) {
            (void)fprintf(out,
                          "\nGroup %s must be stopped before it is applied; it has %zu member%s.\n",
                          plan->rests[i].group, plan->rests[i].members,
                          plan->rests[i].members == 1 ? "" : "s");
        }
    }
}

void plan_text(const struct plan *plan, bool kept, FILE *out)
{
    (void)fprintf(out, "%s on %s\n\n", plan->topology->application, mr_log_address(plan->log));
    for (size_t i = 0; i < plan->item_count; i++) {
        if (kept || plan->items[i].action != PLAN_KEEP) {
            tell(&plan->items[i], out);
        }
    }
    if (plan_exit_code(plan) == 0) {
        (void)fprintf(out, "  nothing to do\n");
    }
    tell_rests(plan, out);
    (void)fprintf(out, "\n");
    for (int action = 0; action < PLAN_ACTIONS; action++) {
        (void)fprintf(out, "%s%zu %s", action == 0 ? "" : ", ",
                      plan_count(plan, (enum plan_action)action),
                      plan_action_name((enum plan_action)action));
    }
    (void)fprintf(out, "\n");
}

void plan_json(const struct plan *plan, FILE *out)
{
    json_t *items = json_array();
    json_t *rests = json_array();
    json_t *root;

    for (size_t i = 0; i < plan->item_count; i++) {
        const struct plan_item *item = &plan->items[i];

        (void)json_array_append_new(
            items, json_pack("{s:s, s:s, s:s, s:s, s:s?}", "action", plan_action_name(item->action),
                             "kind", item->kind, "name", item->name, "detail", item->detail,
                             "allowLoss", item->loss[0] == '\0' ? NULL : item->loss));
    }
    for (size_t i = 0; i < plan->rest_count; i++) {
        (void)json_array_append_new(rests,
                                    json_pack("{s:s, s:I}", "group", plan->rests[i].group,
                                              "members", (json_int_t)plan->rests[i].members));
    }
    root = json_pack("{s:s, s:i, s:o, s:o}", "application", plan->topology->application, "exitCode",
                     plan_exit_code(plan), "items", items, "mustRest", rests);
    (void)json_dumpf(root, out, JSON_INDENT(2));
    (void)fprintf(out, "\n");
    json_decref(root);
}
