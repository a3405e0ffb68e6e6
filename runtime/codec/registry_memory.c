/*
 * registry_memory.c -- the schema registry of one process.
 *
 * Why: `make try` and the tests need ids, versions and compatibility as the real server has them,
 * and no server. How: texts are compared without their white space; one text has one id under every
 * subject. A text that comes again as it came first is known without being read, which is most of
 * what a process that starts asks. Not: durable, and not deleting. Levels: NONE, BACKWARD (what a
 * new subject has), FORWARD, FULL, each but NONE also as _TRANSITIVE.
 */
#include "compat.h"
#include "millrace/arena.h"
#include "millrace/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct level {
    const char *name;
    bool backward;   /* new reads old */
    bool forward;    /* old reads new */
    bool transitive; /* against all versions, not only the latest */
};

static const struct level LEVELS[] = {
    {"NONE", false, false, false},
    {"BACKWARD", true, false, false},
    {"BACKWARD_TRANSITIVE", true, false, true},
    {"FORWARD", false, true, false},
    {"FORWARD_TRANSITIVE", false, true, true},
    {"FULL", true, true, false},
    {"FULL_TRANSITIVE", true, true, true},
};
#define LEVEL_DEFAULT (&LEVELS[1])

struct subject {
    char *name;
    const struct level *level;
    int32_t *ids; /* of its versions, oldest first */
    char **given; /* their texts as they were registered */
    size_t count;
};

struct memory_registry {
    struct mr_registry base;
    pthread_mutex_t mutex; /* protects all below */
    char **schemas;        /* id 1 is schemas[0] */
    size_t schema_count;
    struct subject *subjects;
    size_t subject_count;
};

static struct memory_registry *lock(struct mr_registry *registry)
{
    struct memory_registry *memory = (struct memory_registry *)registry;

    MR_ASSERT(pthread_mutex_lock(&memory->mutex) == 0);
    return memory;
}

static void unlock(struct memory_registry *memory)
{
    MR_ASSERT(pthread_mutex_unlock(&memory->mutex) == 0);
}

/* The text without white space between its parts, malloc'd; MR_CONFIG when it is no Avro schema. */
static enum mr_status normalise(const char *json, char **out, struct mr_err *err)
{
    json_t *parsed = json_loads(json, JSON_DECODE_ANY, NULL);
    char *text = parsed == NULL ? NULL : json_dumps(parsed, JSON_COMPACT | JSON_ENCODE_ANY);
    avro_schema_t schema = NULL;
    enum mr_status status = MR_OK;

    json_decref(parsed);
    mr_avro_lock();
    if (text == NULL || avro_schema_from_json_length(text, strlen(text), &schema) != 0) {
        status = mr_fail(err, MR_CONFIG, "not an Avro schema: %s",
                         text == NULL ? "not JSON" : avro_strerror());
        free(text);
        text = NULL;
    } else {
        avro_schema_decref(schema);
    }
    mr_avro_unlock();
    *out = text;
    return status;
}

static struct subject *find_subject(struct memory_registry *memory, const char *name)
{
    for (size_t i = 0; i < memory->subject_count; i++) {
        if (strcmp(memory->subjects[i].name, name) == 0) {
            return &memory->subjects[i];
        }
    }
    return NULL;
}

static struct subject *need_subject(struct memory_registry *memory, const char *name)
{
    struct subject *subject = find_subject(memory, name);

    if (subject == NULL) {
        memory->subjects =
            mr_xrealloc(memory->subjects, (memory->subject_count + 1) * sizeof(*memory->subjects));
        subject = &memory->subjects[memory->subject_count++];
        *subject = (struct subject){.name = mr_xstrdup(name), .level = LEVEL_DEFAULT};
    }
    return subject;
}

static const char *text_of(const struct memory_registry *memory, int32_t id)
{
    return memory->schemas[id - 1];
}

/* Id of the text under the subject, or 0. */
static int32_t find_version(const struct memory_registry *memory, const struct subject *subject,
                            const char *text)
{
    for (size_t i = 0; subject != NULL && i < subject->count; i++) {
        if (strcmp(text_of(memory, subject->ids[i]), text) == 0) {
            return subject->ids[i];
        }
    }
    return 0;
}

/* Id of the text as it came first, or 0. */
static int32_t find_given(const struct subject *subject, const char *json)
{
    for (size_t i = 0; subject != NULL && i < subject->count; i++) {
        if (strcmp(subject->given[i], json) == 0) {
            return subject->ids[i];
        }
    }
    return 0;
}

static void add_version(struct subject *subject, int32_t id, const char *json)
{
    subject->ids = mr_xrealloc(subject->ids, (subject->count + 1) * sizeof(*subject->ids));
    subject->given = mr_xrealloc(subject->given, (subject->count + 1) * sizeof(*subject->given));
    subject->ids[subject->count] = id;
    subject->given[subject->count++] = mr_xstrdup(json);
}

static enum mr_status check_level(const struct memory_registry *memory,
                                  const struct subject *subject, const char *text,
                                  struct mr_err *err)
{
    size_t first = 0;

    if (subject == NULL || subject->count == 0) {
        return MR_OK;
    }
    first = subject->level->transitive ? 0 : subject->count - 1;
    for (size_t i = first; i < subject->count; i++) {
        const char *old = text_of(memory, subject->ids[i]);

        if (subject->level->backward) {
            MR_TRY(mr_compat_check(old, text, err));
        }
        if (subject->level->forward) {
            MR_TRY(mr_compat_check(text, old, err));
        }
    }
    return MR_OK;
}

static int32_t need_id(struct memory_registry *memory, char **text)
{
    for (size_t i = 0; i < memory->schema_count; i++) {
        if (strcmp(memory->schemas[i], *text) == 0) {
            return (int32_t)i + 1;
        }
    }
    memory->schemas =
        mr_xrealloc(memory->schemas, (memory->schema_count + 1) * sizeof(*memory->schemas));
    memory->schemas[memory->schema_count++] = *text;
    *text = NULL;
    return (int32_t)memory->schema_count;
}

static enum mr_status memory_register(struct mr_registry *registry, const char *subject_name,
                                      const char *json, int32_t *id, struct mr_err *err)
{
    char *text = NULL;
    struct memory_registry *memory = lock(registry);
    struct subject *subject = find_subject(memory, subject_name);
    struct mr_err why;
    enum mr_status status = MR_OK;

    *id = find_given(subject, json);
    unlock(memory);
    if (*id != 0) {
        return MR_OK;
    }
    MR_TRY(normalise(json, &text, err));
    memory = lock(registry);
    subject = find_subject(memory, subject_name);
    *id = find_version(memory, subject, text);
    if (*id == 0) {
        status = check_level(memory, subject, text, &why);
    }
    if (status != MR_OK) {
        status = mr_fail(err, MR_EXISTS, "subject %s: the schema is not %s compatible: %.*s",
                         subject_name, subject->level->name, 200, why.text);
    } else if (*id == 0) {
        *id = need_id(memory, &text);
        subject = need_subject(memory, subject_name);
        add_version(subject, *id, json);
    }
    unlock(memory);
    free(text);
    return status;
}

static enum mr_status memory_lookup(struct mr_registry *registry, const char *subject,
                                    const char *json, int32_t *id, struct mr_err *err)
{
    char *text = NULL;
    struct memory_registry *memory = NULL;

    MR_TRY(normalise(json, &text, err));
    memory = lock(registry);
    *id = find_version(memory, find_subject(memory, subject), text);
    unlock(memory);
    free(text);
    if (*id == 0) {
        return mr_fail(err, MR_SCHEMA_UNKNOWN, "subject %s does not have this schema", subject);
    }
    return MR_OK;
}

static enum mr_status memory_schema_by_id(struct mr_registry *registry, int32_t id, char **json,
                                          struct mr_err *err)
{
    struct memory_registry *memory = lock(registry);
    const bool known = id >= 1 && (size_t)id <= memory->schema_count;

    *json = known ? mr_xstrdup(text_of(memory, id)) : NULL;
    unlock(memory);
    if (!known) {
        return mr_fail(err, MR_SCHEMA_UNKNOWN, "schema id %d is not in the registry", id);
    }
    return MR_OK;
}

static enum mr_status memory_compatible(struct mr_registry *registry, const char *subject,
                                        const char *json, bool *compatible, struct mr_err *err)
{
    char *text = NULL;
    struct memory_registry *memory = NULL;
    struct mr_err why;

    MR_TRY(normalise(json, &text, err));
    memory = lock(registry);
    *compatible = check_level(memory, find_subject(memory, subject), text, &why) == MR_OK;
    unlock(memory);
    free(text);
    return MR_OK;
}

static enum mr_status memory_versions(struct mr_registry *registry, const char *subject_name,
                                      int32_t **versions, size_t *count, struct mr_err *err)
{
    struct memory_registry *memory = lock(registry);
    const struct subject *subject = find_subject(memory, subject_name);

    (void)err;
    *count = subject == NULL ? 0 : subject->count;
    *versions = mr_xcalloc(*count + 1, sizeof(**versions));
    for (size_t i = 0; i < *count; i++) {
        (*versions)[i] = (int32_t)i + 1;
    }
    unlock(memory);
    return MR_OK;
}

static enum mr_status memory_schema_of_version(struct mr_registry *registry,
                                               const char *subject_name, int32_t version,
                                               char **json, struct mr_err *err)
{
    struct memory_registry *memory = lock(registry);
    const struct subject *subject = find_subject(memory, subject_name);
    const bool known = subject != NULL && version >= 1 && (size_t)version <= subject->count;

    *json = known ? mr_xstrdup(text_of(memory, subject->ids[version - 1])) : NULL;
    unlock(memory);
    if (!known) {
        return mr_fail(err, MR_SCHEMA_UNKNOWN, "subject %s has no version %d", subject_name,
                       version);
    }
    return MR_OK;
}

static enum mr_status memory_set_compatibility(struct mr_registry *registry, const char *subject,
                                               const char *level, struct mr_err *err)
{
    for (size_t i = 0; i < MR_COUNT(LEVELS); i++) {
        if (strcmp(LEVELS[i].name, level) == 0) {
            struct memory_registry *memory = lock(registry);

            need_subject(memory, subject)->level = &LEVELS[i];
            unlock(memory);
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG, "subject %s: %s is no compatibility level; BACKWARD is one",
                   subject, level);
}

static void memory_destroy(struct mr_registry *registry)
{
    struct memory_registry *memory = (struct memory_registry *)registry;

    for (size_t i = 0; i < memory->schema_count; i++) {
        free(memory->schemas[i]);
    }
    for (size_t i = 0; i < memory->subject_count; i++) {
        for (size_t v = 0; v < memory->subjects[i].count; v++) {
            free(memory->subjects[i].given[v]);
        }
        free(memory->subjects[i].name);
        free(memory->subjects[i].ids);
        free(memory->subjects[i].given);
    }
    free(memory->schemas);
    free(memory->subjects);
    (void)pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

struct mr_registry *mr_registry_memory_create(void)
{
    static const struct mr_registry_ops OPS = {
        .register_schema = memory_register,
        .lookup = memory_lookup,
        .schema_by_id = memory_schema_by_id,
        .compatible = memory_compatible,
        .versions = memory_versions,
        .schema_of_version = memory_schema_of_version,
        .set_compatibility = memory_set_compatibility,
        .destroy = memory_destroy,
    };
    struct memory_registry *memory = mr_xcalloc(1, sizeof(*memory));

    memory->base.ops = &OPS;
    MR_ASSERT(pthread_mutex_init(&memory->mutex, NULL) == 0);
    return &memory->base;
}
