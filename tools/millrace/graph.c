/* graph.c -- see graph.h. Nodes are s0.. (stages), t0.. (topics), c0.. (connectors). */
#include "graph.h"

#include <stdio.h>

enum arrow { ARROW_PLAIN, ARROW_MEMORY, ARROW_TABLE };

struct drawing {
    const struct mr_topology *topology;
    enum graph_format format;
    bool derived;
    struct mr_buffer *out;
};

static void edge(const struct drawing *d, const char *from, const char *to, const char *label,
                 enum arrow arrow)
{
    static const char *const mermaid[] = {
        [ARROW_PLAIN] = "-->", [ARROW_MEMORY] = "==>", [ARROW_TABLE] = "-.->"};
    static const char *const dot[] = {
        [ARROW_PLAIN] = "", [ARROW_MEMORY] = ", style=bold", [ARROW_TABLE] = ", style=dotted"};

    if (d->format == GRAPH_MERMAID) {
        mr_buffer_printf(d->out, "  %s %s|%s| %s\n", from, mermaid[arrow], label, to);
    } else {
        mr_buffer_printf(d->out, "  %s -> %s [label=\"%s\"%s];\n", from, to, label, dot[arrow]);
    }
}

static bool topic_drawn(const struct drawing *d, size_t topic)
{
    return d->derived || d->topology->topics[topic].kind == MR_TOPIC_DECLARED;
}

static void write_topics(const struct drawing *d)
{
    for (size_t i = 0; i < d->topology->topic_count; i++) {
        const struct mr_topic *topic = &d->topology->topics[i];
        const char *schema = topic->schema != NULL ? topic->schema->name : "as it came";

        if (!topic_drawn(d, i)) {
            continue;
        }
        if (d->format == GRAPH_MERMAID) {
            mr_buffer_printf(d->out, "  t%zu[(\"%s<br/><small>%s</small>\")]\n", i, topic->name,
                             schema);
        } else {
            mr_buffer_printf(d->out, "  t%zu [label=\"%s\\n%s\", shape=cylinder];\n", i,
                             topic->name, schema);
        }
    }
}

static void write_groups(const struct drawing *d)
{
    const bool mermaid = d->format == GRAPH_MERMAID;

    for (size_t g = 0; g < d->topology->group_count; g++) {
        const struct mr_group_node *group = &d->topology->groups[g];

        if (mermaid) {
            mr_buffer_printf(d->out, "  subgraph g%zu[\"group %s\"]\n", g, group->name);
        } else {
            mr_buffer_printf(d->out, "  subgraph cluster_g%zu {\n    label=\"group %s\";\n", g,
                             group->name);
        }
        for (size_t i = 0; i < group->stage_count; i++) {
            const size_t s = group->stages[i];
            mr_buffer_printf(
                d->out, mermaid ? "    s%zu[\"%s\"]\n" : "    s%zu [label=\"%s\", shape=box];\n", s,
                d->topology->stages[s].name);
        }
        mr_buffer_printf(d->out, mermaid ? "  end\n" : "  }\n");
    }
}

static void write_stage_edges(const struct drawing *d, size_t s)
{
    const struct mr_stage_node *stage = &d->topology->stages[s];
    char from[32];
    char to[32];

    for (size_t i = 0; i < stage->type->in_count; i++) {
        const struct mr_in_binding *in = &stage->in[i];
        if (in->topic == MR_UNBOUND) {
            continue;
        }
        (void)snprintf(from, sizeof(from), "t%zu", in->topic);
        (void)snprintf(to, sizeof(to), "s%zu", s);
        edge(d, from, to, stage->type->in[i].name,
             in->table ? ARROW_TABLE : (in->in_memory ? ARROW_MEMORY : ARROW_PLAIN));
    }
    for (size_t i = 0; i < stage->type->out_count; i++) {
        const struct mr_out_binding *binding = &stage->out[i];
        if (binding->topic == MR_UNBOUND) {
            continue;
        }
        (void)snprintf(from, sizeof(from), "s%zu", s);
        (void)snprintf(to, sizeof(to), "t%zu", binding->topic);
        edge(d, from, to, stage->type->out[i].name,
             binding->reader_count > 0 ? ARROW_MEMORY : ARROW_PLAIN);
    }
    if (d->derived && stage->changelog != MR_UNBOUND) {
        (void)snprintf(from, sizeof(from), "s%zu", s);
        (void)snprintf(to, sizeof(to), "t%zu", stage->changelog);
        edge(d, from, to, "state", ARROW_PLAIN);
    }
    if (d->derived) {
        (void)snprintf(from, sizeof(from), "s%zu", s);
        (void)snprintf(to, sizeof(to), "t%zu", stage->dead_letter);
        edge(d, from, to, "poison", ARROW_PLAIN);
    }
}

static void write_connectors(const struct drawing *d)
{
    for (size_t i = 0; i < d->topology->connector_count; i++) {
        const struct mr_connector_node *connector = &d->topology->connectors[i];
        char from[32];
        char to[32];

        if (d->format == GRAPH_MERMAID) {
            mr_buffer_printf(d->out, "  c%zu{{\"%s\"}}\n", i, connector->name);
        } else {
            mr_buffer_printf(d->out, "  c%zu [label=\"%s\", shape=hexagon];\n", i, connector->name);
        }
        (void)snprintf(from, sizeof(from), "t%zu", connector->topic);
        (void)snprintf(to, sizeof(to), "c%zu", i);
        edge(d, from, to, connector->type->name, ARROW_PLAIN);
        if (d->derived) {
            (void)snprintf(from, sizeof(from), "c%zu", i);
            (void)snprintf(to, sizeof(to), "t%zu", connector->dead_letter);
            edge(d, from, to, "poison", ARROW_PLAIN);
        }
    }
}

void topology_graph_write(const struct mr_topology *topology, enum graph_format format,
                          bool derived, struct mr_buffer *out)
{
    const struct drawing d = {
        .topology = topology, .format = format, .derived = derived, .out = out};

    if (format == GRAPH_MERMAID) {
        mr_buffer_printf(out, "flowchart LR\n");
    } else {
        mr_buffer_printf(out, "digraph \"%s\" {\n  rankdir=LR;\n", topology->application);
    }
    write_topics(&d);
    write_groups(&d);
    for (size_t s = 0; s < topology->stage_count; s++) {
        write_stage_edges(&d, s);
    }
    write_connectors(&d);
    if (format == GRAPH_DOT) {
        mr_buffer_printf(out, "}\n");
    }
}
