/* find.c -- names to indices. A topology has tens of parts: walking is enough. */
#include "millrace/topology.h"

size_t mr_topology_find_topic(const struct mr_topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->topic_count; i++) {
        if (strcmp(topology->topics[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

size_t mr_topology_find_stage(const struct mr_topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->stage_count; i++) {
        if (strcmp(topology->stages[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

size_t mr_topology_find_group(const struct mr_topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->group_count; i++) {
        if (strcmp(topology->groups[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

size_t mr_topology_find_connector(const struct mr_topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->connector_count; i++) {
        if (strcmp(topology->connectors[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}
