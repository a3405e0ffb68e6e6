/* stage_world.c -- see stage_world.h: the generated topology and its input. */
#include "stage_world.h"

#include "subjects.h"
#include "topology_text.h"
#include "vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

#define TAME_RECORDS 4

const char *stage_topic_in(const struct mr_port *port, char name[96])
{
    snprintf(name, 96, "in.%.80s", port->name);
    return name;
}

const char *stage_topic_out(const struct mr_port *port, char name[96])
{
    snprintf(name, 96, "out.%.80s", port->name);
    return name;
}

bool stage_port_is_table(const struct mr_port *port)
{
    return (port->flags & MR_PORT_TABLE) != 0;
}

/* ---- topology -------------------------------------------------------------------------------- */

static void write_ports(struct mr_buffer *text, const struct mr_stage *type)
{
    char name[96];

    mr_buffer_printf(text, "stages:\n  " STAGE_NAME ":\n    type: %s\n    in: {", type->name);
    for (size_t i = 0; i < type->in_count; i++) {
        mr_buffer_printf(text, stage_port_is_table(&type->in[i]) ? "%s%s: {table: %s}" : "%s%s: %s",
                         i > 0 ? ", " : "", type->in[i].name, stage_topic_in(&type->in[i], name));
    }
    mr_buffer_printf(text, "}\n    out: {");
    for (size_t i = 0; i < type->out_count; i++) {
        mr_buffer_printf(text, "%s%s: %s", i > 0 ? ", " : "", type->out[i].name,
                         stage_topic_out(&type->out[i], name));
    }
    mr_buffer_printf(text, "}\n");
}

static void write_topics(struct mr_buffer *text, const struct mr_stage *type)
{
    char name[96];

    mr_buffer_printf(text, "topics:\n");
    for (size_t i = 0; i < type->in_count; i++) {
        mr_buffer_printf(text, "  %s: {key: \"%s\", value: %s%s}\n",
                         stage_topic_in(&type->in[i], name), subject_key(type, false, i),
                         type->in[i].schema->name,
                         stage_port_is_table(&type->in[i]) ? ", cleanup: compact" : "");
    }
    for (size_t i = 0; i < type->out_count; i++) {
        mr_buffer_printf(text, "  %s: {key: \"%s\", value: %s}\n",
                         stage_topic_out(&type->out[i], name), subject_key(type, true, i),
                         type->out[i].schema->name);
    }
}

char *stage_world_text(const struct stage_setup *setup)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;

    mr_buffer_printf(&text,
                     "application: conformance\n"
                     "kafka: {bootstrap.servers: memory}\n"
                     "registry: {url: \"http://127.0.0.1:1\"}\n"
                     "defaults: {partitions: %d, replication: 1, commit-interval: 1ms, "
                     "commit-records: %d}\n",
                     setup->partitions, setup->commit_records);
    write_topics(&text, setup->type);
    write_ports(&text, setup->type);
    if (setup->option != NULL) {
        mr_buffer_printf(&text, "    options: {%s}\n", setup->option);
    }
    mr_buffer_printf(&text, "groups:\n  only: {stages: [" STAGE_NAME "]}\n");
    mr_buffer_append(&text, "", 1);
    return (char *)text.data;
}

struct mr_world *stage_world_create(const struct stage_setup *setup)
{
    char *text = stage_world_text(setup);
    struct mr_world *world = mr_world_create(
        &(struct mr_world_options){.owned = topology_of_text(text, subject_catalog(), NULL, 0)});

    free(text);
    return world;
}

/* ---- input ----------------------------------------------------------------------------------- */

static const char *topic_key(struct mr_world *world, const char *topic)
{
    const struct mr_topology *topology = mr_world_topology(world);

    return topology->topics[mr_topology_find_topic(topology, topic)].key;
}

static void send_record(struct mr_world *world, const struct mr_port *port,
                        struct vocabulary *vocabulary)
{
    void *value = mr_xcalloc(1, port->schema->struct_bytes);
    /* With several partitions a wrong key would put one user into two tasks: no order is left. */
    const bool wrong_key = !vocabulary->tame && vocabulary_pick(vocabulary, 40) == 0 &&
                           mr_world_topology(world)->defaults.partitions == 1;
    char name[96];
    struct mr_slice key;

    stage_topic_in(port, name);
    vocabulary_record(vocabulary, port->schema, value);
    key = vocabulary_key(port->schema, topic_key(world, name), value, "u1");
    key = wrong_key ? mr_slice_str("elsewhere") : key;
    do {
        mr_world_send(world, name, key, mr_world_encode(world, name, value));
        mr_world_pass_us(world, MR_MS_US);
        /* Some producers send twice. */
    } while (!vocabulary->tame && vocabulary_pick(vocabulary, 20) == 0);
    free(value);
}

static void send_garbage(struct mr_world *world, const struct mr_port *port,
                         struct vocabulary *vocabulary)
{
    uint8_t bytes[24];
    char name[96];
    const size_t len = (size_t)vocabulary_pick(vocabulary, sizeof(bytes));

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)vocabulary_pick(vocabulary, i == 0 ? 2 : 256);
    }
    stage_topic_in(port, name);
    if (vocabulary_pick(vocabulary, 3) == 0) {
        mr_world_send_tombstone(world, name, mr_slice_str("BTCUSDT"));
    } else {
        mr_world_send(world, name, mr_slice_str("u1"), mr_slice_of(bytes, len));
    }
    mr_world_pass_us(world, MR_MS_US);
}

/* Each key of a table gets its value; later values stay tame too, or nothing could be traded. */
static void feed_tables(struct mr_world *world, const struct mr_stage *type,
                        struct vocabulary *vocabulary)
{
    vocabulary->tame = true;
    for (size_t i = 0; i < type->in_count; i++) {
        for (int k = 0; k < 4 * TAME_RECORDS && stage_port_is_table(&type->in[i]); k++) {
            send_record(world, &type->in[i], vocabulary);
        }
    }
}

static size_t stream_ports(const struct mr_stage *type,
                           const struct mr_port *ports[STAGE_PORTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < type->in_count; i++) {
        if (!stage_port_is_table(&type->in[i])) {
            WORLD_MUST(count < STAGE_PORTS_MAX);
            ports[count++] = &type->in[i];
        }
    }
    return count;
}

static void feed_tame(struct mr_world *world, const struct mr_stage *type,
                      struct vocabulary *vocabulary, int each)
{
    const struct mr_port *ports[STAGE_PORTS_MAX];
    const size_t count = stream_ports(type, ports);

    vocabulary->tame = true;
    /* The last port first: orders come first in most stages, what they need after. */
    for (size_t i = count; i-- > 0;) {
        for (int k = 0; k < each; k++) {
            send_record(world, ports[i], vocabulary);
        }
    }
}

void stage_world_feed(struct mr_world *world, const struct stage_setup *setup, uint64_t seed)
{
    const struct mr_port *ports[STAGE_PORTS_MAX];
    const size_t count = stream_ports(setup->type, ports);
    struct vocabulary vocabulary;

    vocabulary_init(&vocabulary, seed);
    feed_tables(world, setup->type, &vocabulary);
    feed_tame(world, setup->type, &vocabulary, 4 * TAME_RECORDS);
    vocabulary.tame = false;
    for (int i = 0; i < STAGE_RECORDS; i++) {
        const struct mr_port *port = ports[vocabulary_pick(&vocabulary, count)];

        if (vocabulary_pick(&vocabulary, 20) == 0) {
            send_garbage(world, port, &vocabulary);
        } else {
            send_record(world, port, &vocabulary);
        }
    }
    vocabulary_fini(&vocabulary);
}

void stage_world_feed_wild(struct mr_world *world, const struct stage_setup *setup, uint64_t seed,
                           int records)
{
    struct vocabulary vocabulary;

    vocabulary_init(&vocabulary, seed);
    vocabulary.wild = true;
    for (int i = 0; i < records; i++) {
        const size_t port = (size_t)vocabulary_pick(&vocabulary, setup->type->in_count);

        send_record(world, &setup->type->in[port], &vocabulary);
    }
    vocabulary_fini(&vocabulary);
}

size_t stage_world_feed_tame(struct mr_world *world, const struct stage_setup *setup)
{
    const struct mr_port *ports[STAGE_PORTS_MAX];
    struct vocabulary vocabulary;

    vocabulary_init(&vocabulary, 1);
    feed_tables(world, setup->type, &vocabulary);
    feed_tame(world, setup->type, &vocabulary, 1);
    vocabulary_fini(&vocabulary);
    return stream_ports(setup->type, ports);
}

void stage_world_sample(struct mr_world *world, const struct mr_port *port,
                        struct mr_buffer *framed)
{
    void *value = mr_xcalloc(1, port->schema->struct_bytes);
    struct vocabulary vocabulary;
    struct mr_slice bytes;
    char name[96];

    vocabulary_init(&vocabulary, 2);
    vocabulary.tame = true;
    vocabulary_record(&vocabulary, port->schema, value);
    bytes = mr_world_encode(world, stage_topic_in(port, name), value);
    mr_buffer_append(framed, bytes.data, bytes.len);
    vocabulary_fini(&vocabulary);
    free(value);
}
