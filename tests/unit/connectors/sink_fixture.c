/* sink_fixture.c -- see sink_fixture.h. */
#include "sink_fixture.h"

#include "millrace/arena.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void sink_fixture_init(struct sink_fixture *sink, const struct mr_sink_type *type,
                       const struct mr_schema *schema, const struct sink_option *options,
                       size_t count)
{
    *sink = (struct sink_fixture){.type = type, .state = mr_xcalloc(1, type->state_size)};
    sink->metrics = mr_metrics_create();
    sink->env = (struct mr_sink_env){.application = "test",
                                     .name = "sink",
                                     .topic = "topic",
                                     .schema = schema,
                                     .metrics = sink->metrics};
    for (size_t i = 0; i < type->option_count; i++) {
        const char *text = type->options[i].fallback;

        for (size_t o = 0; o < count; o++) {
            text = strcmp(options[o].name, type->options[i].name) == 0 ? options[o].text : text;
        }
        ck_assert_msg(text != NULL, "option %s is required", type->options[i].name);
        ck_assert_msg(mr_option_parse(&type->options[i], text, sink->state, &sink->err) == MR_OK,
                      "option %s: %s", type->options[i].name, sink->err.text);
    }
}

void sink_fixture_fini(struct sink_fixture *sink)
{
    if (sink->state != NULL) {
        sink->type->close(sink->state);
        free(sink->state);
        mr_metrics_destroy(&sink->metrics);
        sink->state = NULL;
    }
}

enum mr_status sink_open(struct sink_fixture *sink)
{
    return sink->type->open(sink->state, &sink->env, &sink->err);
}

enum mr_status sink_write(struct sink_fixture *sink, const struct mr_record *records, size_t count)
{
    sink->bad = SIZE_MAX;
    return sink->type->write(sink->state, records, count, &sink->bad, &sink->err);
}

void sink_must_open(struct sink_fixture *sink)
{
    ck_assert_msg(sink_open(sink) == MR_OK, "%s", sink->err.text);
}

void sink_must_write(struct sink_fixture *sink, const struct mr_record *records, size_t count)
{
    ck_assert_msg(sink_write(sink, records, count) == MR_OK, "%s", sink->err.text);
}

const char *sink_environment(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value != NULL && value[0] != '\0',
                  "%s is not set: start the development stack and read its stack.env", name);
    return value;
}

const char *sink_unique(const char *prefix, char *buffer, size_t bytes)
{
    static unsigned next;
    struct timespec now;

    ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
    snprintf(buffer, bytes, "%s-%lx-%lx-%u", prefix, (unsigned long)getpid(),
             (unsigned long)now.tv_nsec, next++);
    return buffer;
}

struct mr_slice sink_text(const char *text)
{
    return mr_slice_str(text);
}

mr_i128 sink_amount(int64_t units, int64_t atoms)
{
    return (mr_i128)units * INT64_C(1000000000000000000) + atoms;
}
