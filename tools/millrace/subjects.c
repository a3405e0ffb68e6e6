/* subjects.c -- see subjects.h. */
#include "subjects.h"

#include "describe.h"
#include "millrace/arena.h"
#include "millrace/compat.h"
#include "subject_list.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const states[] = {[SUBJECT_NEW] = "new",
                                     [SUBJECT_SAME] = "same",
                                     [SUBJECT_COMPATIBLE] = "compatible",
                                     [SUBJECT_INCOMPATIBLE] = "incompatible"};

/* ---- which subjects there are */

struct listing {
    const struct mr_topology *topology;
    struct subject_report *report;
};

static void add(void *arg, const struct subject_of *subject)
{
    const struct listing *listing = arg;

    listing->report->items[listing->report->count++] = (struct subject_item){
        .name = subject->name,
        .topic = listing->topology->topics[subject->topic].name,
        .schema = subject->schema,
        .position = subject->position,
    };
}

static void list_subjects(const struct mr_topology *t, struct subject_report *report)
{
    struct listing listing = {.topology = t, .report = report};

    *report =
        (struct subject_report){.items = mr_xcalloc(subject_list_max(t), sizeof(*report->items))};
    subject_list(t, add, &listing);
}

/* ---- what the registry has */

static enum mr_status compare(struct mr_registry *registry, struct subject_item *item,
                              int32_t version, struct mr_err *err)
{
    struct mr_err why = {0};
    char *json = NULL;

    MR_TRY(registry->ops->schema_of_version(registry, item->name, version, &json, err));
    const enum mr_status status = mr_compat_check(json, item->schema->json, &why);
    free(json);
    item->version = version;
    if (status != MR_OK) {
        item->state = SUBJECT_INCOMPATIBLE;
        (void)snprintf(item->text, sizeof(item->text), "%.250s", why.text);
    }
    return MR_OK;
}

/* The oldest version that breaks it is the one that is named. */
static enum mr_status compare_versions(struct mr_registry *registry, struct subject_item *item,
                                       const int32_t *versions, size_t count, struct mr_err *err)
{
    for (size_t i = 0; i < count && item->state != SUBJECT_INCOMPATIBLE; i++) {
        MR_TRY(compare(registry, item, versions[i], err));
    }
    return MR_OK;
}

/* It is compatible by our rules: is it there already, and would the registry take it? */
static enum mr_status ask_registry(struct mr_registry *registry, struct subject_item *item,
                                   struct mr_err *err)
{
    bool taken = false;
    int32_t id = 0;
    const enum mr_status status =
        registry->ops->lookup(registry, item->name, item->schema->json, &id, err);

    if (status != MR_SCHEMA_UNKNOWN) {
        item->state = SUBJECT_SAME;
        return status;
    }
    MR_TRY(registry->ops->compatible(registry, item->name, item->schema->json, &taken, err));
    item->state = taken ? SUBJECT_COMPATIBLE : SUBJECT_INCOMPATIBLE;
    if (!taken) {
        (void)snprintf(item->text, sizeof(item->text),
                       "the registry refuses it, though it can read what is written: its level for "
                       "the subject asks for more than BACKWARD");
    }
    return MR_OK;
}

static enum mr_status look(struct mr_registry *registry, bool transitive, struct subject_item *item,
                           struct mr_err *err)
{
    int32_t *versions = NULL;
    size_t count = 0;

    item->state = SUBJECT_NEW;
    MR_TRY(registry->ops->versions(registry, item->name, &versions, &count, err));
    const size_t first = transitive || count == 0 ? 0 : count - 1;
    enum mr_status status = compare_versions(registry, item, versions + first, count - first, err);
    free(versions);
    if (status == MR_OK && count > 0 && item->state != SUBJECT_INCOMPATIBLE) {
        status = ask_registry(registry, item, err);
    }
    return status;
}

enum mr_status subjects_check(const struct mr_topology *topology, struct mr_registry *registry,
                              bool transitive, struct subject_report *report, struct mr_err *err)
{
    list_subjects(topology, report);
    for (size_t i = 0; i < report->count; i++) {
        MR_TRY(look(registry, transitive, &report->items[i], err));
    }
    return MR_OK;
}

size_t subjects_count(const struct subject_report *report, enum subject_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++) {
        count += report->items[i].state == state;
    }
    return count;
}

void subjects_fini(struct subject_report *report)
{
    free(report->items);
    *report = (struct subject_report){0};
}

/* ---- for people and for programs */

static void print_item(const struct mr_topology *topology, const struct subject_item *item,
                       FILE *out)
{
    const struct mr_position *at = &item->position;
    const char *file = at->file != NULL ? at->file : topology->file;

    if (item->state == SUBJECT_INCOMPATIBLE) {
        (void)fprintf(out,
                      "%s:%d:%d: topic %s, subject %s, version %d: schema %s cannot follow: %s\n",
                      file, at->line, at->column, item->topic, item->name, (int)item->version,
                      item->schema->name, item->text);
    } else if (item->state != SUBJECT_SAME) {
        (void)fprintf(out, "%-15s subject %s\n", states[item->state], item->name);
    }
}

void subjects_print(const struct mr_topology *topology, const struct subject_report *report,
                    FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        print_item(topology, &report->items[i], out);
    }
    (void)fprintf(out, "subjects: %zu new, %zu as registered, %zu compatible, %zu incompatible\n",
                  subjects_count(report, SUBJECT_NEW), subjects_count(report, SUBJECT_SAME),
                  subjects_count(report, SUBJECT_COMPATIBLE),
                  subjects_count(report, SUBJECT_INCOMPATIBLE));
}

struct json_t *subjects_json(const struct mr_topology *topology,
                             const struct subject_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct subject_item *item = &report->items[i];
        json_t *version = item->version > 0 ? json_integer(item->version) : json_null();

        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:o,s:s?,s:o}", "topic", item->topic, "subject",
                            item->name, "schema", item->schema->name, "state", states[item->state],
                            "version", version, "text", item->text[0] != '\0' ? item->text : NULL,
                            "position", topology_position_json(topology, &item->position)));
    }
    return list;
}
