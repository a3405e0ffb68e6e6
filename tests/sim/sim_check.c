/* sim_check.c -- see sim.h: what is true when everything has settled. */
#include "invariants.h"
#include "sim.h"

#include <inttypes.h>

/* Every input that is committed was taken, by every group that reads it. */
static void check_drained(struct sim *sim)
{
    const struct mr_topology *topology = mr_world_topology(sim->world);

    for (size_t g = 0; g < topology->group_count; g++) {
        const struct mr_group_node *group = &topology->groups[g];
        char name[256];

        (void)snprintf(name, sizeof(name), "%.100s.%.100s", topology->application, group->name);
        for (size_t i = 0; i < group->input_count; i++) {
            const char *topic = topology->topics[group->inputs[i]].name;
            struct mr_world_records records;

            mr_world_read(sim->world, topic, &records);
            for (size_t r = 0; r < records.count; r++) {
                struct mr_topic_partition at = {.topic = topic,
                                                .partition = records.items[r].partition};
                struct mr_err err;

                if (r + 1 < records.count && records.items[r + 1].partition == at.partition) {
                    continue; /* the last of each partition will do */
                }
                WORLD_MUST_MSG(mr_log_committed(mr_world_log(sim->world), name, &at, 1, 0, &err) ==
                                   MR_OK,
                               "%s", err.text);
                WORLD_MUST_MSG(at.offset > records.items[r].offset,
                               "group %s has taken %s[%d] up to %" PRId64 ", and there is %" PRId64,
                               group->name, topic, (int)at.partition, at.offset,
                               records.items[r].offset);
            }
            mr_world_records_fini(&records);
        }
    }
}

/* No transaction is open anywhere: what was left behind has been ended by somebody. */
static void check_closed(struct sim *sim)
{
    const struct mr_topology *topology = mr_world_topology(sim->world);
    struct mr_log *log = mr_world_log(sim->world);

    for (size_t t = 0; t < topology->topic_count; t++) {
        const struct mr_topic *topic = &topology->topics[t];

        for (int32_t p = 0; topic->in_log && p < topic->partitions; p++) {
            int64_t low;
            int64_t stable;
            int64_t end;
            struct mr_err err;

            WORLD_MUST(mr_log_watermarks(log, topic->name, p, &low, &stable, &err) == MR_OK);
            WORLD_MUST(mr_log_end(log, topic->name, p, &end, &err) == MR_OK);
            WORLD_MUST_MSG(stable == end, "%s[%d]: a transaction is open from %" PRId64,
                           topic->name, (int)p, stable);
        }
    }
}

static void add_record(struct sim *sim, const char *topic, const struct mr_world_record *record)
{
    uint64_t hash = sim->result.hash;

    hash = sim_hash(hash, topic, strlen(topic));
    hash = sim_hash(hash, &record->partition, sizeof(record->partition));
    hash = sim_hash(hash, &record->offset, sizeof(record->offset));
    hash = sim_hash(hash, &record->timestamp_ms, sizeof(record->timestamp_ms));
    hash = sim_hash(hash, record->key.data, record->key.len);
    hash = sim_hash(hash, record->value.data, record->value.len);
    for (size_t i = 0; i < record->header_count; i++) {
        hash = sim_hash(hash, record->headers[i].name, strlen(record->headers[i].name));
        hash = sim_hash(hash, record->headers[i].value.data, record->headers[i].value.len);
    }
    sim->result.hash = hash;
}

/* Everything committed, where it is. */
static void add_topics(struct sim *sim)
{
    const struct mr_topology *topology = mr_world_topology(sim->world);

    for (size_t t = 0; t < topology->topic_count; t++) {
        struct mr_world_records records;

        mr_world_read(sim->world, topology->topics[t].name, &records);
        for (size_t i = 0; i < records.count; i++) {
            add_record(sim, topology->topics[t].name, &records.items[i]);
        }
        mr_world_records_fini(&records);
    }
}

void sim_check(struct sim *sim)
{
    static const struct {
        const char *name;
        void (*check)(struct mr_world *world);
    } checks[] = {
        {"state", mr_world_check_stores}, {"journal", mr_world_check_journals},
        {"ledger", invariants_ledger},    {"outcomes", invariants_outcomes},
        {"orders", invariants_orders},    {"trades", invariants_trades},
        {"book", invariants_book},        {"balances", invariants_state},
    };

    mr_plant(MR_PLANTED_NOTHING); /* what follows is not on trial */
    mr_log_memory_show_compacted(mr_world_log(sim->world), true);
    sim->check = "transactions";
    check_closed(sim);
    sim->check = "drained";
    check_drained(sim);
    for (size_t i = 0; i < MR_COUNT(checks); i++) {
        sim->check = checks[i].name;
        checks[i].check(sim->world);
    }
    sim->check = "replay";
    sim_check_replay(sim);
    add_topics(sim);
}
