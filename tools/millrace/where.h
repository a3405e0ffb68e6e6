/*
 * where.h -- conditions on the fields of a record: what `millrace tap --where` understands.
 *
 *   FIELD OP VALUE        symbol=BTCUSDT   qty>1.5   status!=REJECTED   legs.price<=100 text~*BTC*
 *
 * FIELD is a name of the schema, or ARRAY.NAME: then one item for which it holds is enough. OP is
 * = != < <= > >= ~. Numbers are compared as exact decimals, times as RFC 3339 in UTC or
 * microseconds since 1970, enums by name, texts by bytes. ~ is a glob where VALUE has * or ?, else
 * a part of the text. VALUE null asks whether a nullable field is absent; otherwise an absent field
 * only matches
 * !=. Everything is checked against the schema before a record is read.
 */
#ifndef MILLRACE_TOOLS_WHERE_H
#define MILLRACE_TOOLS_WHERE_H

#include "millrace/schema.h"

enum where_op { WHERE_EQ, WHERE_NE, WHERE_LT, WHERE_LE, WHERE_GT, WHERE_GE, WHERE_LIKE };

struct where_term {
    const struct mr_schema_field *field; /* of the record */
    const struct mr_schema_field *item;  /* of the array's items; NULL: field itself */
    enum where_op op;
    bool is_null;         /* VALUE is null */
    mr_i128 number;       /* atoms of scale 18; of a time microseconds, of an enum its symbol */
    struct mr_slice text; /* borrowed from the condition */
};

#define WHERE_TERMS_MAX 64

/* All of them must hold. */
struct where {
    struct where_term terms[WHERE_TERMS_MAX];
    size_t count;
};

/* text is kept by pointer. MR_CONFIG: what is wrong with it, and what would be right. */
MR_NODISCARD enum mr_status where_add(struct where *where, const struct mr_schema *schema,
                                      const char *text, struct mr_err *err);
/* value: struct of the schema; NULL (a tombstone, or unreadable) matches only no condition. */
bool where_matches(const struct where *where, const void *value);
/* * any run of bytes, ? one byte. */
bool where_glob(struct mr_slice pattern, struct mr_slice text);

#endif
