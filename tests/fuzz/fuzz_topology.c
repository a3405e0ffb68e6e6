/*
 * fuzz_topology -- any bytes as a topology file.
 *
 * How: the answer is a topology without problems, or problems without a topology; each problem says
 *      where and what, in text that a terminal and JSON can take; every index of a topology points
 *      at something; and the same bytes have the same answer. The catalog is the unit tests', so
 *      that an input keeps its meaning when a stage of the program gets another option.
 */
#include "fake_catalog.h"
#include "fuzz.h"
#include "millrace/utf8.h"

#include <string.h>

/* No such directory: an include of the input finds nothing. */
#define NAME "no-such-directory/t.yaml"

static void check_text(const char *text)
{
    const size_t len = strlen(text);

    FUZZ_CHECK(len > 0);
    for (size_t at = 0; at < len;) {
        const size_t step = mr_utf8_step(mr_slice_of(text + at, len - at));
        FUZZ_CHECK(step > 0 && (uint8_t)text[at] >= 0x20);
        at += step;
    }
}

static void check_problems(const struct mr_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct mr_problem *p = &problems->items[i];
        FUZZ_CHECK(strcmp(p->file, NAME) == 0 && p->file == p->position.file);
        FUZZ_CHECK(p->position.line >= 1 && p->position.column >= 1);
        check_text(p->text);
    }
}

static bool is_topic(const struct mr_topology *t, size_t topic)
{
    return topic < t->topic_count;
}

static void check_stage(const struct mr_topology *t, const struct mr_stage_node *stage)
{
    FUZZ_CHECK(stage->group < t->group_count && is_topic(t, stage->dead_letter));
    FUZZ_CHECK(is_topic(t, stage->changelog) == (stage->type->store_count > 0));
    for (size_t i = 0; i < stage->type->in_count; i++) {
        FUZZ_CHECK(stage->in[i].topic == MR_UNBOUND || is_topic(t, stage->in[i].topic));
    }
    for (size_t i = 0; i < stage->type->out_count; i++) {
        const struct mr_out_binding *out = &stage->out[i];
        FUZZ_CHECK(out->topic == MR_UNBOUND || is_topic(t, out->topic));
        for (size_t r = 0; r < out->reader_count; r++) {
            FUZZ_CHECK(out->readers[r].stage < t->stage_count);
        }
    }
}

static void check_topology(const struct mr_topology *t)
{
    size_t stages = 0;

    FUZZ_CHECK(strcmp(t->file, NAME) == 0 && t->application != NULL);
    for (size_t i = 0; i < t->topic_count; i++) {
        FUZZ_CHECK(t->topics[i].partitions >= 1 && t->topics[i].replication >= 1);
        FUZZ_CHECK(t->topics[i].config_count > 0 && strlen(t->topics[i].name) > 0);
    }
    for (size_t i = 0; i < t->stage_count; i++) {
        check_stage(t, &t->stages[i]);
    }
    for (size_t i = 0; i < t->group_count; i++) {
        FUZZ_CHECK(t->groups[i].input_count > 0);
        stages += t->groups[i].stage_count;
    }
    FUZZ_CHECK(stages == t->stage_count);
    for (size_t i = 0; i < t->connector_count; i++) {
        FUZZ_CHECK(is_topic(t, t->connectors[i].topic) &&
                   is_topic(t, t->connectors[i].dead_letter));
    }
}

/* How many problems there are, and their texts added up. */
static size_t load(struct mr_slice text, bool check)
{
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};
    const enum mr_status status =
        mr_topology_load_text(NAME, text, &fake_catalog, &topology, &problems, &err);
    size_t sum = problems.count;

    FUZZ_CHECK((status == MR_OK) == (topology != NULL));
    FUZZ_CHECK((status == MR_OK) == (problems.count == 0));
    if (check) {
        check_problems(&problems);
        if (topology != NULL) {
            check_topology(topology);
        }
    }
    for (size_t i = 0; i < problems.count; i++) {
        sum += (size_t)problems.items[i].position.line * 31 + strlen(problems.items[i].text);
    }
    mr_problems_fini(&problems);
    mr_topology_destroy(&topology);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mr_slice text = mr_slice_of(data, size);

    FUZZ_CHECK(load(text, true) == load(text, false));
    return 0;
}
