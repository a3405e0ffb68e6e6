/* tap_port.c -- see tap_port.h. */
#include "tap_port.h"

#include "line_text.h"
#include "suggest.h"

#define NAME_BYTES_MAX 128

static enum mr_status unknown_topic(const struct mr_topology *topology, const char *name,
                                    struct mr_err *err)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < topology->topic_count; i++) {
        suggest_offer(&suggest, topology->topics[i].name);
    }
    return mr_fail(err, MR_CONFIG, "%s has no topic and no port %.100s%s", topology->file, name,
                   suggest_text(&suggest));
}

static enum mr_status unknown_stage(const struct mr_topology *topology, const char *name,
                                    struct mr_err *err)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < topology->stage_count; i++) {
        suggest_offer(&suggest, topology->stages[i].name);
    }
    return mr_fail(err, MR_CONFIG, "%s has no stage %.100s%s", topology->file, name,
                   suggest_text(&suggest));
}

static enum mr_status find_port(const struct mr_stage_node *stage, const char *name, size_t *topic,
                                struct mr_err *err)
{
    struct suggest suggest;
    bool known = false;

    suggest_init(&suggest, name);
    *topic = MR_UNBOUND;
    for (size_t i = 0; i < stage->type->in_count; i++) {
        suggest_offer(&suggest, stage->type->in[i].name);
        if (strcmp(stage->type->in[i].name, name) == 0) {
            known = true;
            *topic = stage->in[i].topic;
        }
    }
    /* What a stage writes goes before what it reads, should both have one name. */
    for (size_t i = 0; i < stage->type->out_count; i++) {
        suggest_offer(&suggest, stage->type->out[i].name);
        if (strcmp(stage->type->out[i].name, name) == 0) {
            known = true;
            *topic = stage->out[i].topic;
        }
    }
    if (!known) {
        return mr_fail(err, MR_CONFIG, "stage %s has no port %.100s%s", stage->name, name,
                       suggest_text(&suggest));
    }
    return *topic != MR_UNBOUND ? MR_OK
                                : mr_fail(err, MR_CONFIG, "port %s of stage %s is bound to nothing",
                                          name, stage->name);
}

enum mr_status tap_port_find(const struct mr_topology *topology, const char *name,
                             const char *stage, const char *port, size_t *topic, struct mr_err *err)
{
    const char *dot = strrchr(name, '.');
    char before[NAME_BYTES_MAX];
    size_t found;

    if (stage[0] == '\0') {
        *topic = mr_topology_find_topic(topology, name);
        if (*topic != SIZE_MAX) {
            return MR_OK;
        }
        if (dot == NULL ||
            !line_text_copy(mr_slice_of(name, (size_t)(dot - name)), before, sizeof(before))) {
            return unknown_topic(topology, name, err);
        }
        stage = before;
        port = dot + 1;
    }
    found = mr_topology_find_stage(topology, stage);
    if (found == SIZE_MAX) {
        return name[0] != '\0' ? unknown_topic(topology, name, err)
                               : unknown_stage(topology, stage, err);
    }
    return find_port(&topology->stages[found], port, topic, err);
}
