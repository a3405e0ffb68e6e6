/* stage_alone.c -- see stage_alone.h. */
#include "stage_alone.h"

#include <stdlib.h>

#define TABLE_RECORDS 16

static bool is_table(const struct mr_port *port)
{
    return (port->flags & MR_PORT_TABLE) != 0;
}

static void *make_record(struct vocabulary *vocabulary, const struct mr_schema *schema)
{
    void *value = mr_xcalloc(1, schema->struct_bytes);

    vocabulary_record(vocabulary, schema, value);
    return value;
}

static void add_record(struct alone_input *input, size_t port)
{
    struct alone_record *record = &input->records[input->count++];

    record->port = port;
    record->value = make_record(&input->vocabulary, input->type->in[port].schema);
    record->key = vocabulary_key(input->type->in[port].schema,
                                 subject_key(input->type, false, port), record->value, "u1");
}

void alone_input_make(struct alone_input *input, const struct mr_stage *type, size_t tame,
                      size_t more)
{
    size_t stream = 0;

    *input = (struct alone_input){.type = type};
    vocabulary_init(&input->vocabulary, 5);
    input->records = mr_xcalloc(tame * type->in_count + more, sizeof(input->records[0]));
    input->vocabulary.tame = true;
    /* The last port first: what comes first in most stages needs what comes after. */
    for (size_t i = type->in_count; i-- > 0;) {
        for (size_t k = 0; k < tame && !is_table(&type->in[i]); k++) {
            add_record(input, i);
        }
    }
    input->vocabulary.tame = false;
    for (size_t i = 0; i < more; i++) {
        do {
            stream = (size_t)vocabulary_pick(&input->vocabulary, type->in_count);
        } while (is_table(&type->in[stream]));
        add_record(input, stream);
    }
}

void alone_input_fini(struct alone_input *input)
{
    for (size_t i = 0; i < input->count; i++) {
        free((void *)(uintptr_t)input->records[i].value);
    }
    free(input->records);
    vocabulary_fini(&input->vocabulary);
}

struct mr_driver *alone_open(const struct mr_stage *type)
{
    struct mr_driver *driver = mr_driver_create(type, NULL, 0);
    struct vocabulary vocabulary;

    vocabulary_init(&vocabulary, 6);
    vocabulary.tame = true;
    for (size_t i = 0; i < type->in_count; i++) {
        for (int k = 0; k < TABLE_RECORDS && is_table(&type->in[i]); k++) {
            void *value = make_record(&vocabulary, type->in[i].schema);

            mr_driver_table_set(
                driver, type->in[i].name,
                vocabulary_key(type->in[i].schema, subject_key(type, false, i), value, "u1"),
                value);
            free(value);
        }
    }
    vocabulary_fini(&vocabulary);
    return driver;
}

enum mr_status alone_push(struct mr_driver *driver, const struct alone_input *input, size_t index)
{
    const struct alone_record *record = &input->records[index];

    return mr_driver_push(driver, input->type->in[record->port].name, record->key, record->value);
}
