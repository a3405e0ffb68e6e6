/*
 * codec.c -- which decoder a framed record gets, by its schema id.
 *
 * Why: nearly every record carries our own id and must cost nothing beyond the generated decode;
 * any other id must be looked up once for the whole process. How: our id is compared first. Known
 * foreign ids stand in lists that only grow, read through atomic heads without a lock. An id the
 * registry does not have is remembered for a while, so that a burst of bad records does not become
 * a burst of requests. Thread: see codec.h. The mutex is held while the registry is asked, so that
 * each id is asked for once; only workers with ids that nobody knows yet wait for it.
 */
#include "millrace/codec.h"

#include "codec_clock.h"
#include "resolution.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define CODEC_MAGIC 0x636f6463U
#define BUCKET_COUNT 64U
#define MISSING_COUNT 256U
#define MISSING_FOR_US (10 * INT64_C(1000000))
#define WHY_BYTES 320

/* What is known of records with one foreign id read as one schema; never changes once published. */
struct known {
    struct known *next;
    const struct mr_schema *schema;
    int32_t id;
    struct mr_resolution *resolution; /* NULL: such records cannot be read */
    char why[WHY_BYTES];
};

/* An id the registry did not have. */
struct missing {
    int32_t id;
    int64_t until_us;
};

struct mr_codec {
    uint32_t magic;
    struct mr_registry *registry;
    const struct mr_clock *clock;
    _Atomic(struct known *) buckets[BUCKET_COUNT];
    pthread_mutex_t mutex; /* protects additions to buckets, and missing */
    struct missing missing[MISSING_COUNT];
};

struct mr_codec *mr_codec_create_clocked(struct mr_registry *registry, const struct mr_clock *clock)
{
    struct mr_codec *codec = mr_xcalloc(1, sizeof(*codec));

    codec->magic = CODEC_MAGIC;
    codec->registry = registry;
    codec->clock = clock;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        atomic_init(&codec->buckets[i], NULL);
    }
    MR_ASSERT(pthread_mutex_init(&codec->mutex, NULL) == 0);
    return codec;
}

struct mr_codec *mr_codec_create(struct mr_registry *registry)
{
    return mr_codec_create_clocked(registry, mr_clock_system());
}

void mr_codec_destroy(struct mr_codec **codec)
{
    struct mr_codec *c = *codec;

    if (c == NULL) {
        return;
    }
    MR_ASSERT(c->magic == CODEC_MAGIC);
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        struct known *known = atomic_load(&c->buckets[i]);

        while (known != NULL) {
            struct known *next = known->next;

            mr_resolution_destroy(&known->resolution);
            free(known);
            known = next;
        }
    }
    (void)pthread_mutex_destroy(&c->mutex);
    c->magic = 0;
    free(c);
    *codec = NULL;
}

enum mr_status mr_codec_bind(struct mr_codec *codec, const struct mr_schema *schema,
                             const char *subject, struct mr_binding *binding, struct mr_err *err)
{
    int32_t id = 0;

    MR_TRY(codec->registry->ops->register_schema(codec->registry, subject, schema->json, &id, err));
    *binding = (struct mr_binding){.schema = schema, .id = id};
    return MR_OK;
}

size_t mr_codec_encode(const struct mr_binding *binding, const void *value, uint8_t *buffer)
{
    const uint32_t id = (uint32_t)binding->id;

    buffer[0] = 0;
    buffer[1] = (uint8_t)(id >> 24);
    buffer[2] = (uint8_t)(id >> 16);
    buffer[3] = (uint8_t)(id >> 8);
    buffer[4] = (uint8_t)id;
    return MR_WIRE_HEADER_BYTES + binding->schema->encode(value, buffer + MR_WIRE_HEADER_BYTES);
}

enum mr_status mr_wire_schema_id(struct mr_slice framed, int32_t *id, struct mr_err *err)
{
    if (framed.len < MR_WIRE_HEADER_BYTES) {
        return mr_fail(err, MR_MALFORMED, "%zu bytes are too short for a schema id", framed.len);
    }
    if (framed.data[0] != 0) {
        return mr_fail(err, MR_MALFORMED, "first byte is 0x%02x, not 0x00: not the wire format",
                       (unsigned)framed.data[0]);
    }
    *id = (int32_t)((uint32_t)framed.data[1] << 24 | (uint32_t)framed.data[2] << 16 |
                    (uint32_t)framed.data[3] << 8 | (uint32_t)framed.data[4]);
    return MR_OK;
}

static const struct known *find(struct mr_codec *codec, const struct mr_schema *schema, int32_t id)
{
    const struct known *known =
        atomic_load_explicit(&codec->buckets[(uint32_t)id % BUCKET_COUNT], memory_order_acquire);

    while (known != NULL && (known->id != id || known->schema != schema)) {
        known = known->next;
    }
    return known;
}

static void publish(struct mr_codec *codec, struct known *known)
{
    _Atomic(struct known *) *head = &codec->buckets[(uint32_t)known->id % BUCKET_COUNT];

    known->next = atomic_load_explicit(head, memory_order_relaxed);
    atomic_store_explicit(head, known, memory_order_release);
}

static enum mr_status missing_error(int32_t id, struct mr_err *err)
{
    return mr_fail(err, MR_SCHEMA_UNKNOWN, "schema id %d is not in the registry", id);
}

/* Asks the registry, with the mutex held. */
static enum mr_status learn(struct mr_codec *codec, const struct mr_schema *schema, int32_t id,
                            const struct known **out, struct mr_err *err)
{
    const int64_t now_us = mr_clock_monotonic_us(codec->clock);
    struct missing *missing = &codec->missing[(uint32_t)id % MISSING_COUNT];
    struct known *known = NULL;
    char *json = NULL;
    enum mr_status status = MR_OK;

    *out = find(codec, schema, id);
    if (*out != NULL) {
        return MR_OK;
    }
    if (missing->id == id && now_us < missing->until_us) {
        return missing_error(id, err);
    }
    status = codec->registry->ops->schema_by_id(codec->registry, id, &json, err);
    if (status == MR_SCHEMA_UNKNOWN) {
        *missing = (struct missing){.id = id, .until_us = now_us + MISSING_FOR_US};
        return missing_error(id, err);
    }
    MR_TRY(status);
    known = mr_xcalloc(1, sizeof(*known));
    known->schema = schema;
    known->id = id;
    if (mr_resolution_create(schema, json, &known->resolution, err) != MR_OK) {
        /* For good: the text behind an id never changes. */
        (void)snprintf(known->why, sizeof(known->why), "%.*s", WHY_BYTES - 1, err->text);
    }
    free(json);
    publish(codec, known);
    *out = known;
    return MR_OK;
}

enum mr_status mr_codec_decode(struct mr_codec *codec, const struct mr_binding *binding,
                               struct mr_slice framed, struct mr_arena *arena, void *out,
                               struct mr_err *err)
{
    const struct mr_schema *schema = binding->schema;
    const struct known *known = NULL;
    struct mr_slice body;
    int32_t id = 0;

    MR_TRY(mr_wire_schema_id(framed, &id, err));
    body = mr_slice_of(framed.data + MR_WIRE_HEADER_BYTES, framed.len - MR_WIRE_HEADER_BYTES);
    if (id == binding->id) {
        return schema->decode(body, arena, out, err);
    }
    if (id < 0) {
        /* No registry hands these out. */
        return missing_error(id, err);
    }
    known = find(codec, schema, id);
    if (known == NULL) {
        enum mr_status status = MR_OK;

        MR_ASSERT(pthread_mutex_lock(&codec->mutex) == 0);
        status = learn(codec, schema, id, &known, err);
        MR_ASSERT(pthread_mutex_unlock(&codec->mutex) == 0);
        MR_TRY(status);
    }
    MR_ASSERT(known != NULL);
    if (known->resolution == NULL) {
        return mr_fail(err, MR_MALFORMED, "schema id %d cannot be read as %s: %s", id, schema->name,
                       known->why);
    }
    return mr_resolution_decode(known->resolution, body, arena, out, err);
}
