/* plan_options.c -- options and settings that changed: what a restart of the group brings. */
#include "plan.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define VALUE_BYTES ((size_t)120)

/* As it is written in a topology; the JSON has the stored unit. */
static void format(const struct mr_option *option, const json_t *value, char text[VALUE_BYTES])
{
    const long long number = (long long)json_integer_value(value);
    char *json = NULL;

    if (option->type == MR_OPTION_DURATION && json_is_integer(value)) {
        (void)mr_format_duration(number, text, VALUE_BYTES);
    } else if (option->type == MR_OPTION_RATIO && json_is_integer(value)) {
        (void)snprintf(text, VALUE_BYTES, "%lld.%04lld%%", number / 10000, number % 10000);
    } else if (option->type == MR_OPTION_RATE && json_is_integer(value)) {
        (void)snprintf(text, VALUE_BYTES, "%lld/min", number * 60 / 1000000);
    } else {
        json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        (void)snprintf(text, VALUE_BYTES, "%s", json == NULL ? "nothing" : json);
        free(json);
    }
}

static void compare(struct plan *plan, const struct mr_stage_node *stage, const json_t *before,
                    const json_t *after)
{
    for (size_t i = 0; i < stage->type->option_count; i++) {
        const struct mr_option *option = &stage->type->options[i];
        const json_t *was = json_object_get(before, option->name);
        const json_t *is = json_object_get(after, option->name);
        char texts[2][VALUE_BYTES];

        if (json_equal(was, is)) {
            continue;
        }
        format(option, was, texts[0]);
        format(option, is, texts[1]);
        plan_add(plan, PLAN_CHANGE, "option", stage->name,
                 "%s: %s -> %s, with a restart of group %s", option->name, texts[0], texts[1],
                 plan->topology->groups[stage->group].name);
    }
}

static void look_at_options(struct plan *plan, const struct mr_stage_node *stage)
{
    const struct layout_stage *was = layout_stage_find(&plan->before, stage->name);
    const struct layout_stage *is = layout_stage_find(&plan->after, stage->name);
    json_t *before;
    json_t *after;

    if (was == NULL || strcmp(was->options, is->options) == 0) {
        return;
    }
    before = json_loads(was->options, 0, NULL);
    after = json_loads(is->options, 0, NULL);
    compare(plan, stage, before, after);
    json_decref(before);
    json_decref(after);
}

void plan_options(struct plan *plan)
{
    for (size_t i = 0; i < plan->topology->stage_count; i++) {
        look_at_options(plan, &plan->topology->stages[i]);
    }
    for (size_t i = 0; i < plan->after.group_count; i++) {
        const struct layout_group *is = &plan->after.groups[i];
        const struct layout_group *was = layout_group_find(&plan->before, is->name);

        if (was != NULL && was->workers != is->workers) {
            plan_add(plan, PLAN_CHANGE, "group", is->name,
                     "workers: %d -> %d, with a restart of the group", was->workers, is->workers);
        }
        if (was != NULL && was->replicas != is->replicas) {
            plan_add(plan, PLAN_CHANGE, "group", is->name, "replicas: %d -> %d, by the deployment",
                     was->replicas, is->replicas);
        }
    }
}
