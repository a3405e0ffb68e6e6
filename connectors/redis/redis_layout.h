/* redis_layout.h -- records as keys and values. Private to connectors/redis. */
#ifndef CONNECTORS_REDIS_LAYOUT_H
#define CONNECTORS_REDIS_LAYOUT_H

#include "millrace/buffer.h"
#include "millrace/record.h"
#include "millrace/schema.h"

enum redis_kind {
    REDIS_HASH, /* script redis_hash_script */
    REDIS_BOOK, /* script redis_book_script */
};

enum redis_life { REDIS_KEPT, REDIS_ORDER_LIFE, REDIS_REQUEST_LIFE, REDIS_BOOK_LIFE, REDIS_LIVES };

struct redis_shape {
    const struct mr_schema *schema;
    enum redis_kind kind;
    enum redis_life life;
    const char *key_prefix;             /* order: */
    bool keyed;                         /* a tombstone's key, behind key_prefix, is the Redis key */
    bool (*wanted)(const void *record); /* NULL: every record */
    /* Appends what follows key_prefix; nothing: the record has no identity. */
    void (*identity)(const void *record, struct mr_buffer *out);
    int64_t (*guard)(const void *record);
    const char *guard_field;
    const char *const *fields; /* NULL: all; NULL-terminated */
};

/* NULL: records of this schema have no key. */
const struct redis_shape *redis_shape_find(const struct mr_schema *schema);

/* Names of the schemas that have one, NULL-terminated. */
extern const char *const redis_schemas[];

/* KEYS: key. ARGV: guard field, guard, life in ms or 0, then names and values. 1: written, 0:
 * older. */
extern const char redis_hash_script[];
/* KEYS: book, seq. ARGV: lastSeq, life in ms, book, checksum, ts. 1: written, 0: older. */
extern const char redis_book_script[];

/* Arguments of one command; pointers are taken when all are in. */
#define REDIS_ARGS_MAX 128
struct redis_args {
    struct mr_buffer text;
    size_t begins[REDIS_ARGS_MAX + 1];
    size_t count;
};

void redis_args_clear(struct redis_args *args);
void redis_args_fini(struct redis_args *args);
void redis_args_add(struct redis_args *args, struct mr_slice value);
void redis_args_number(struct redis_args *args, int64_t value);
/* What was appended to args->text since the last argument becomes one. */
void redis_args_close(struct redis_args *args);

/* Names and values of the present fields. */
void redis_add_fields(struct redis_args *args, const struct redis_shape *shape, const void *record);
int64_t redis_book_checksum(const void *book);
/* The record as one JSON object. */
void redis_append_json(struct mr_buffer *out, const struct mr_schema *schema, const void *record);

#endif
