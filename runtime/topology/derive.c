/*
 * derive.c -- what follows from the checked graph: changelog, dead-letter and journal topics, and
 * the configuration that every topic is created with.
 */
#include "build.h"

#include <inttypes.h>

#define CONFIGS_MAX ((size_t)8)
#define JOURNAL_SCHEMA "millrace.runtime.Journal"
/* A dead letter is a record at its size limit plus headers. */
#define DEAD_LETTER_BYTES_MAX "2097152"
/* Only closed segments are compacted: without these a busy small topic is never cleaned. */
#define COMPACT_SEGMENT_BYTES "67108864"
#define COMPACT_SEGMENT_MS "600000"
#define COMPACT_DIRTY_RATIO "0.2"

static size_t add_derived(struct build *b, struct mr_topic topic, struct mr_position owner)
{
    const size_t taken = names_find(&b->topic_names, topic.name);

    if (taken != SIZE_MAX) {
        problem_add(b->problems, taken < b->declared_count ? b->topics[taken].position : owner,
                    "the name %s is taken by a topic the runtime derives: choose another",
                    topic.name);
    }
    topic.in_log = true;
    topic.key = "";
    topic.boundary = MR_BOUNDARY_TOPIC;
    topic.replication = b->topology->defaults.replication;
    return build_add_topic(b, &topic);
}

static size_t add_dead_letter(struct build *b, const char *owner, struct mr_position position,
                              int32_t partitions)
{
    return add_derived(b,
                       (struct mr_topic){
                           .name = build_printf(b, "%s.%s.dlq", b->topology->application, owner),
                           .kind = MR_TOPIC_DEAD_LETTER,
                           .partitions = partitions,
                           .cleanup = "delete",
                           .retention_us = b->topology->defaults.retention_us,
                       },
                       position);
}

static size_t add_changelog(struct build *b, const struct stage_draft *stage, const char *name)
{
    return add_derived(b,
                       (struct mr_topic){
                           .name = name,
                           .kind = MR_TOPIC_CHANGELOG,
                           .partitions = b->groups[stage->group].partitions,
                           .cleanup = "compact",
                           .retention_us = MR_RETENTION_FOREVER,
                       },
                       stage->position);
}

/* A catalog without the schema (a test's) has no journal. */
static size_t add_journal(struct build *b, const struct group_draft *group)
{
    const struct mr_schema *schema = NULL;
    const char *name = build_printf(b, "%s-%s-journal", b->topology->application, group->name);

    for (size_t i = 0; i < b->catalog->schema_count; i++) {
        if (strcmp(b->catalog->schemas[i]->full_name, JOURNAL_SCHEMA) == 0) {
            schema = b->catalog->schemas[i];
        }
    }
    if (schema == NULL || !b->topology->defaults.journal) {
        return MR_UNBOUND;
    }
    return add_derived(b,
                       (struct mr_topic){
                           .name = name,
                           .kind = MR_TOPIC_JOURNAL,
                           .schema = schema,
                           .subject = build_printf(b, "%s-value", name),
                           .partitions = group->partitions,
                           .cleanup = "delete",
                           .retention_us = b->topology->defaults.retention_us,
                       },
                       group->position);
}

struct config_list {
    struct mr_topic_config *items;
    size_t count;
};

/*
 * A later value of a name replaces the earlier one. Only the runtime's own are looked at: they come
 * first, and those that are written in the file differ among each other.
 */
static void set_config(struct config_list *list, const char *name, const char *value)
{
    for (size_t i = 0; i < list->count && i < CONFIGS_MAX; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            list->items[i].value = value;
            return;
        }
    }
    list->items[list->count++] = (struct mr_topic_config){name, value};
}

static void add_written_configs(struct build *b, const struct node *map, struct config_list *list)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        bool taken = false;

        for (size_t k = 0; settings_config_owned[k] != NULL; k++) {
            taken = taken || strcmp(settings_config_owned[k], entry->name) == 0;
        }
        if (taken) {
            problem_add(b->problems, entry->position,
                        "%s is said by the topic's own settings cleanup and retention",
                        entry->name);
        } else if (entry->value->kind != NODE_SCALAR) {
            problem_add(b->problems, entry->value->position, "%s is %s and must be a value",
                        entry->name, node_kind_name(entry->value->kind));
        } else {
            set_config(list, entry->name, entry->value->text);
        }
    }
}

static void configure(struct build *b, struct mr_topic *topic, const struct node *written)
{
    const size_t more = written != NULL ? written->count : 0;
    struct config_list list = {.items = build_alloc(b, CONFIGS_MAX + more, sizeof(*list.items))};

    set_config(&list, "cleanup.policy", topic->cleanup);
    if (strstr(topic->cleanup, "delete") != NULL) {
        const int64_t ms =
            topic->retention_us == MR_RETENTION_FOREVER ? -1 : topic->retention_us / MR_MS_US;
        set_config(&list, "retention.ms", build_printf(b, "%" PRId64, ms));
    }
    if (strstr(topic->cleanup, "compact") != NULL) {
        set_config(&list, "segment.bytes", COMPACT_SEGMENT_BYTES);
        set_config(&list, "segment.ms", COMPACT_SEGMENT_MS);
        set_config(&list, "min.cleanable.dirty.ratio", COMPACT_DIRTY_RATIO);
    }
    if (topic->replication >= 3) {
        set_config(&list, "min.insync.replicas", "2");
    }
    if (topic->kind == MR_TOPIC_DEAD_LETTER) {
        set_config(&list, "max.message.bytes", DEAD_LETTER_BYTES_MAX);
    }
    add_written_configs(b, written, &list);
    topic->configs = list.items;
    topic->config_count = list.count;
}

static void derive_stage(struct build *b, struct stage_draft *stage)
{
    const char *changelog =
        build_printf(b, "%s-%s-changelog", b->topology->application, stage->name);

    stage->changelog =
        stage->type->store_count > 0 ? add_changelog(b, stage, changelog) : MR_UNBOUND;
    stage->store_subjects =
        build_alloc(b, stage->type->store_count, sizeof(*stage->store_subjects));
    for (size_t i = 0; i < stage->type->store_count; i++) {
        stage->store_subjects[i] =
            build_printf(b, "%s-%s", changelog, stage->type->stores[i].schema->full_name);
    }
    stage->dead_letter =
        add_dead_letter(b, stage->name, stage->position, b->groups[stage->group].partitions);
}

void build_derive(struct build *b)
{
    for (size_t i = 0; i < b->stage_count && b->topology->application != NULL; i++) {
        struct stage_draft *stage = &b->stages[i];
        if (stage->type != NULL && stage->group != MR_UNBOUND) {
            derive_stage(b, stage);
        }
    }
    for (size_t i = 0; i < b->group_count && b->topology->application != NULL; i++) {
        b->groups[i].journal = add_journal(b, &b->groups[i]);
    }
    for (size_t i = 0; i < b->connector_count && b->topology->application != NULL; i++) {
        struct mr_connector_node *connector = &b->connectors[i];
        if (connector->topic != MR_UNBOUND) {
            connector->dead_letter = add_dead_letter(b, connector->name, connector->position,
                                                     b->topics[connector->topic].partitions);
        }
    }
    for (size_t i = 0; i < b->topic_count; i++) {
        configure(b, &b->topics[i], b->topic_configs[i]);
    }
}
