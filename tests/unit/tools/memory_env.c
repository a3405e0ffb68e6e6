/* memory_env.c -- see memory_env.h. */
#include "memory_env.h"

#include "apply.h"
#include "avro/catalog.h"
#include "millrace/log_open.h"
#include "stages/registry.h"

#include <check.h>

#define TIMEOUT_US MR_SECOND_US
#define VALUE_BYTES_MAX 2048

static struct mr_topology *load(const char *yaml)
{
    const struct mr_catalog catalog = {.stages = mr_stages,
                                       .stage_count = mr_stage_count,
                                       .schemas = oms_schemas,
                                       .schema_count = oms_schema_count};
    struct mr_problems problems = {0};
    struct mr_topology *topology = NULL;
    struct mr_err err = {0};

    ck_assert_msg(mr_topology_load_text("t.yaml", mr_slice_str(yaml), &catalog, &topology,
                                        &problems, &err) == MR_OK,
                  "%s", err.text);
    mr_problems_fini(&problems);
    return topology;
}

void memory_env_open(struct memory_env *self, const char *yaml)
{
    struct apply_report report = {0};
    struct mr_err err;

    self->topology = load(yaml);
    self->registry = mr_registry_memory_create();
    self->env = (struct load_env){.topology = self->topology,
                                  .log = mr_log_memory_create(mr_clock_system()),
                                  .codec = mr_codec_create(self->registry),
                                  .clock = mr_clock_system()};
    ck_assert_int_eq(mr_topology_apply(self->topology, self->env.log, self->registry,
                                       &(struct apply_options){0}, &report, &err),
                     MR_OK);
    apply_report_fini(&report);
}

void memory_env_close(struct memory_env *self)
{
    mr_log_close(&self->env.log);
    mr_codec_destroy(&self->env.codec);
    mr_registry_destroy(&self->registry);
    mr_topology_destroy(&self->topology);
}

void memory_env_send(struct memory_env *self, const char *topic, const struct mr_outgoing *record)
{
    struct mr_outgoing sent = *record;
    struct mr_producer *producer = NULL;
    struct mr_err err;

    ck_assert_int_eq(mr_producer_open(self->env.log, &(struct mr_producer_options){0}, TIMEOUT_US,
                                      &producer, &err),
                     MR_OK);
    ck_assert_int_eq(mr_producer_topic(producer, topic, &sent.topic, NULL, &err), MR_OK);
    ck_assert_int_eq(mr_producer_send(producer, &sent, &err), MR_OK);
    ck_assert_int_eq(mr_producer_flush(producer, TIMEOUT_US, &err), MR_OK);
    mr_producer_close(&producer);
}

void memory_env_send_value(struct memory_env *self, const char *topic,
                           const struct mr_binding *binding, const struct mr_outgoing *record,
                           const void *value)
{
    struct mr_outgoing sent = *record;
    uint8_t bytes[VALUE_BYTES_MAX];

    if (value != NULL) {
        ck_assert_uint_le(mr_codec_framed_bytes_max(binding, value), sizeof bytes);
        sent.value = mr_slice_of(bytes, mr_codec_encode(binding, value, bytes));
        sent.has_value = true;
    }
    memory_env_send(self, topic, &sent);
}
