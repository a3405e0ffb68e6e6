/* graph_figures.c -- see graph_figures.h. */
#include "graph_figures.h"

#include <string.h>

/* Of one counter of a topic over all processes; GRAPH_UNKNOWN: none of them counts it. */
static int64_t rate_of(const struct see_status *before, const struct see_status *now,
                       const char *topic, const char *counter)
{
    int64_t sum = GRAPH_UNKNOWN;

    for (size_t i = 0; i < now->count; i++) {
        const json_t *root = now->documents[i].root;
        const json_t *then = see_status_before(before, &now->documents[i]);
        const json_t *is = see_find(json_object_get(root, "topics"), "topic", topic);
        const json_t *was = see_find(json_object_get(then, "topics"), "topic", topic);
        int64_t rate;

        if (is == NULL || see_number(is, counter) <= 0) {
            continue;
        }
        rate = see_rate_milli(then, root, was == NULL ? 0 : see_number(was, counter),
                              see_number(is, counter));
        sum = rate < 0 ? sum : (sum < 0 ? 0 : sum) + rate;
    }
    return sum;
}

static void add_lag(const struct see_status *now, const char *topic, const char *consumer,
                    int64_t *sum)
{
    const int64_t lag = see_lag(now->documents, now->count, topic, consumer);

    if (lag >= 0) {
        *sum = (*sum < 0 ? 0 : *sum) + lag;
    }
}

void graph_figures_make(const struct mr_topology *topology, const struct see_status *before,
                        const struct see_status *now, struct graph_figures *figures)
{
    graph_figures_init(topology, figures);
    for (size_t t = 0; t < topology->topic_count; t++) {
        const char *name = topology->topics[t].name;
        const int64_t out = rate_of(before, now, name, "recordsOut");

        figures->rate_milli[t] = out >= 0 ? out : rate_of(before, now, name, "recordsIn");
        for (size_t g = 0; g < topology->group_count; g++) {
            add_lag(now, name, topology->groups[g].name, &figures->lag[t]);
        }
        for (size_t c = 0; c < topology->connector_count; c++) {
            add_lag(now, name, topology->connectors[c].name, &figures->lag[t]);
        }
    }
}
