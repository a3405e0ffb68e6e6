/*
 * rules.c -- see rules.h. Pairs of types wait in a list; a pair of records is looked at once, so a
 * type that contains itself ends.
 */
#include "rules.h"

#include "millrace/arena.h"
#include "schema_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX ((size_t)512)
#define PATH_BYTES ((size_t)128)

struct pair {
    json_t *writer;
    json_t *reader;
    char path[PATH_BYTES]; /* of the field, "a.x"; "" for the whole */
};

struct rules {
    json_t *writer_types;
    json_t *reader_types;
    json_t *seen; /* "writer reader" of records */
    struct pair *pending;
    size_t count;
    bool every_branch;
};

/* "long", "record", "enum" ... of a type that is no union. */
static const char *kind_of(json_t *type)
{
    return json_is_string(type) ? json_string_value(type) : schema_text(type, "type");
}

/* Of a named type without its namespace, which may stand in front of it; "" of others. Names are
 * compared without it (Avro 1.11, "Schema Resolution"). */
static const char *name_of(json_t *type)
{
    const char *name = schema_text(type, "name");
    const char *dot = strrchr(name, '.');

    return dot == NULL ? name : dot + 1;
}

/* What a message calls a type: the name of a named one. */
static const char *label_of(json_t *type)
{
    if (json_is_array(type)) {
        return "a union";
    }
    return name_of(type)[0] != '\0' ? name_of(type) : kind_of(type);
}

static bool widens(const char *from, const char *to)
{
    static const char *const allowed[][2] = {
        {"int", "long"},    {"int", "float"},    {"int", "double"},   {"long", "float"},
        {"long", "double"}, {"float", "double"}, {"string", "bytes"}, {"bytes", "string"},
    };

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (strcmp(allowed[i][0], from) == 0 && strcmp(allowed[i][1], to) == 0) {
            return true;
        }
    }
    return strcmp(from, to) == 0;
}

/* Neither is a union. What is inside is looked at later. */
static bool fits(json_t *writer, json_t *reader)
{
    if (!widens(kind_of(writer), kind_of(reader))) {
        return false;
    }
    if (schema_is_kind(reader, "fixed") &&
        json_integer_value(json_object_get(writer, "size")) !=
            json_integer_value(json_object_get(reader, "size"))) {
        return false;
    }
    return strcmp(name_of(writer), name_of(reader)) == 0;
}

static enum mr_status misfit(const struct pair *pair, json_t *writer, json_t *reader,
                             struct mr_err *err)
{
    const bool whole = pair->path[0] == '\0';

    if (strcmp(label_of(writer), label_of(reader)) == 0) {
        return mr_fail(err, MR_EXISTS, "%s%s: the writer's %s has another size",
                       whole ? "the schema" : "field ", pair->path, label_of(writer));
    }
    return mr_fail(err, MR_EXISTS, "%s%s: the writer's %s is not the reader's %s",
                   whole ? "the schema" : "field ", pair->path, label_of(writer), label_of(reader));
}

/* Puts a pair behind the others; field: one step further into path. */
static enum mr_status wait(struct rules *r, json_t *writer, json_t *reader, const char *path,
                           const char *field, struct mr_err *err)
{
    if (r->count == PENDING_MAX) {
        return mr_fail(err, MR_EXISTS, "field %s: nested too deep to be compared", path);
    }
    struct pair *pair = &r->pending[r->count++];
    pair->writer = schema_defined(r->writer_types, writer);
    pair->reader = schema_defined(r->reader_types, reader);
    (void)snprintf(pair->path, sizeof(pair->path), "%.60s%s%.60s", path,
                   path[0] != '\0' && field[0] != '\0' ? "." : "", field);
    return MR_OK;
}

/* What in the reader's type takes a writer's type that is no union: NULL for nothing. */
static json_t *taker(struct rules *r, json_t *writer, json_t *reader)
{
    json_t *branch = NULL;
    size_t index = 0;

    if (!json_is_array(reader)) {
        return fits(writer, reader) ? reader : NULL;
    }
    json_array_foreach(reader, index, branch)
    {
        json_t *full = schema_defined(r->reader_types, branch);
        if (fits(writer, full)) {
            return full;
        }
    }
    return NULL;
}

static enum mr_status check_union(struct rules *r, const struct pair *pair, struct mr_err *err)
{
    json_t *branch = NULL;
    json_t *refused = NULL;
    size_t index = 0;
    size_t taken = 0;

    json_array_foreach(pair->writer, index, branch)
    {
        json_t *full = schema_defined(r->writer_types, branch);
        json_t *reader = taker(r, full, pair->reader);
        if (reader == NULL) {
            refused = full;
            continue;
        }
        taken++;
        MR_TRY(wait(r, full, reader, pair->path, "", err));
    }
    if (refused != NULL && (r->every_branch || taken == 0)) {
        return misfit(pair, refused, pair->reader, err);
    }
    return MR_OK;
}

static enum mr_status check_record(struct rules *r, const struct pair *pair, json_t *reader,
                                   struct mr_err *err)
{
    char key[PATH_BYTES * 2];
    json_t *field = NULL;
    size_t index = 0;

    (void)snprintf(key, sizeof(key), "%.120s %.120s", schema_text(pair->writer, "name"),
                   schema_text(reader, "name"));
    if (json_object_get(r->seen, key) != NULL) {
        return MR_OK;
    }
    (void)json_object_set_new(r->seen, key, json_true());
    json_array_foreach(json_object_get(reader, "fields"), index, field)
    {
        const char *name = schema_text(field, "name");
        json_t *from = schema_find_field(pair->writer, name);
        if (from != NULL) {
            MR_TRY(wait(r, json_object_get(from, "type"), json_object_get(field, "type"),
                        pair->path, name, err));
        } else if (json_object_get(field, "default") == NULL) {
            return mr_fail(err, MR_EXISTS, "field %s of %s has no default and the writer lacks it",
                           name, schema_text(reader, "name"));
        }
    }
    return MR_OK;
}

/* A symbol that is written and that the reader does not know. Decoding asks about each value. */
static enum mr_status check_symbols(const struct rules *r, const struct pair *pair, json_t *reader,
                                    struct mr_err *err)
{
    json_t *known = json_object();
    json_t *symbol = NULL;
    json_t *missing = NULL;
    size_t index = 0;

    json_array_foreach(json_object_get(reader, "symbols"), index, symbol)
    {
        (void)json_object_set_new(known, json_string_value(symbol), json_true());
    }
    json_array_foreach(json_object_get(pair->writer, "symbols"), index, symbol)
    {
        if (json_object_get(known, json_string_value(symbol)) == NULL) {
            missing = symbol;
        }
    }
    json_decref(known);
    if (missing != NULL && r->every_branch) {
        return mr_fail(err, MR_EXISTS, "field %s: enum %s lacks %s, which is already in use",
                       pair->path, schema_text(reader, "name"), json_string_value(missing));
    }
    return MR_OK;
}

static enum mr_status check_pair(struct rules *r, const struct pair *pair, struct mr_err *err)
{
    if (json_is_array(pair->writer)) {
        return check_union(r, pair, err);
    }
    json_t *reader = taker(r, pair->writer, pair->reader);
    if (reader == NULL) {
        return misfit(pair, pair->writer, pair->reader, err);
    }
    if (schema_is_kind(reader, "record")) {
        return check_record(r, pair, reader, err);
    }
    if (schema_is_kind(reader, "enum")) {
        return check_symbols(r, pair, reader, err);
    }
    if (schema_is_kind(reader, "array")) {
        return wait(r, json_object_get(pair->writer, "items"), json_object_get(reader, "items"),
                    pair->path, "", err);
    }
    if (schema_is_kind(reader, "map")) {
        return wait(r, json_object_get(pair->writer, "values"), json_object_get(reader, "values"),
                    pair->path, "", err);
    }
    return MR_OK;
}

enum mr_status mr_rules_check(json_t *writer, json_t *reader, bool every_branch, struct mr_err *err)
{
    struct rules r = {.writer_types = json_object(),
                      .reader_types = json_object(),
                      .seen = json_object(),
                      .pending = mr_xcalloc(PENDING_MAX, sizeof(*r.pending)),
                      .every_branch = every_branch};

    schema_collect_types(writer, r.writer_types);
    schema_collect_types(reader, r.reader_types);
    enum mr_status status = wait(&r, writer, reader, "", "", err);
    while (status == MR_OK && r.count > 0) {
        const struct pair pair = r.pending[--r.count];
        status = check_pair(&r, &pair, err);
    }
    free(r.pending);
    json_decref(r.writer_types);
    json_decref(r.reader_types);
    json_decref(r.seen);
    return status;
}
