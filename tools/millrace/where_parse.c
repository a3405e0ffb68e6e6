/* where_parse.c -- a condition's text against a schema. See where.h. */
#include "line_text.h"
#include "millrace/option.h"
#include "runtime/codec/json_text.h"
#include "suggest.h"
#include "where.h"

#define NAME_BYTES_MAX 100
#define VALUE_BYTES_MAX 256

static struct mr_slice trimmed(struct mr_slice text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text = mr_slice_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

/* The operator at the beginning of text; *len: its bytes, 0 when there is none. */
static enum where_op operator_at(const char *text, size_t *len)
{
    static const struct {
        const char *text;
        enum where_op op;
    } operators[] = {{"!=", WHERE_NE}, {"<=", WHERE_LE}, {">=", WHERE_GE}, {"=", WHERE_EQ},
                     {"<", WHERE_LT},  {">", WHERE_GT},  {"~", WHERE_LIKE}};

    for (size_t i = 0; i < MR_COUNT(operators); i++) {
        *len = strlen(operators[i].text);
        if (strncmp(text, operators[i].text, *len) == 0) {
            return operators[i].op;
        }
    }
    *len = 0;
    return WHERE_EQ;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static enum mr_status find_field(const struct mr_schema *schema, struct mr_slice name,
                                 const struct mr_schema_field **field, struct mr_err *err)
{
    char wanted[NAME_BYTES_MAX];
    struct suggest suggest;

    (void)line_text_copy(name, wanted, sizeof(wanted));
    suggest_init(&suggest, wanted);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (mr_slice_equal(mr_slice_str(schema->fields[i].name), name)) {
            *field = &schema->fields[i];
            return MR_OK;
        }
        suggest_offer(&suggest, schema->fields[i].name);
    }
    return mr_fail(err, MR_CONFIG, "%s has no field \"%s\"%s", schema->name, wanted,
                   suggest_text(&suggest));
}

static enum mr_status find_path(struct where_term *term, const struct mr_schema *schema,
                                struct mr_slice path, struct mr_err *err)
{
    const uint8_t *dot = memchr(path.data, '.', path.len);
    const size_t first = dot == NULL ? path.len : (size_t)(dot - path.data);

    MR_TRY(find_field(schema, mr_slice_of(path.data, first), &term->field, err));
    if (term->field->kind == MR_FIELD_ARRAY && dot == NULL) {
        return mr_fail(err, MR_CONFIG, "%s is a list: name a field of its items, %s.%s",
                       term->field->name, term->field->name, term->field->items->fields[0].name);
    }
    if (dot == NULL) {
        return MR_OK;
    }
    if (term->field->kind != MR_FIELD_ARRAY) {
        return mr_fail(err, MR_CONFIG, "%s has no parts: leave out what follows the dot",
                       term->field->name);
    }
    return find_field(term->field->items, mr_slice_of(dot + 1, path.len - first - 1), &term->item,
                      err);
}

/* ---- values ---------------------------------------------------------------------------------- */

static enum mr_status parse_decimal(const struct mr_schema_field *field, const char *value,
                                    mr_i128 *number, struct mr_err *err)
{
    return mr_json_decimal_parse(value, number)
               ? MR_OK
               : mr_fail(err, MR_CONFIG,
                         "%s is a number: \"%s\" is none with at most 18 places behind the point",
                         field->name, value);
}

static enum mr_status parse_time(const struct mr_schema_field *field, const char *value,
                                 mr_i128 *number, struct mr_err *err)
{
    int64_t us = 0;
    struct mr_err ignored;

    if (!mr_json_time_parse(value, &us) && mr_parse_int(value, &us, &ignored) != MR_OK) {
        return mr_fail(err, MR_CONFIG,
                       "%s is a time: \"%s\" is none like 2026-01-31T12:00:00Z, nor microseconds "
                       "since 1970",
                       field->name, value);
    }
    *number = us;
    return MR_OK;
}

static enum mr_status parse_symbol(const struct mr_schema_field *field, const char *value,
                                   mr_i128 *number, struct mr_err *err)
{
    struct suggest suggest;

    suggest_init(&suggest, value);
    for (size_t i = 0; i < field->symbol_count; i++) {
        if (strcmp(field->symbols[i], value) == 0) {
            *number = (mr_i128)i;
            return MR_OK;
        }
        suggest_offer(&suggest, field->symbols[i]);
    }
    return mr_fail(err, MR_CONFIG, "%s is never \"%s\"%s", field->name, value,
                   suggest_text(&suggest));
}

static enum mr_status parse_bool(const struct mr_schema_field *field, const char *value,
                                 mr_i128 *number, struct mr_err *err)
{
    *number = strcmp(value, "true") == 0;
    return *number != 0 || strcmp(value, "false") == 0
               ? MR_OK
               : mr_fail(err, MR_CONFIG, "%s is true or false, not \"%s\"", field->name, value);
}

/* Which operators a kind of field has. */
static bool op_fits(enum mr_field_kind kind, enum where_op op)
{
    switch (kind) {
    case MR_FIELD_STRING:
        return true;
    case MR_FIELD_LONG:
    case MR_FIELD_INT:
    case MR_FIELD_DECIMAL:
    case MR_FIELD_TIMESTAMP_US:
        return op != WHERE_LIKE;
    case MR_FIELD_BYTES:
    case MR_FIELD_FIXED:
    case MR_FIELD_ENUM:
        return op == WHERE_EQ || op == WHERE_NE || op == WHERE_LIKE;
    case MR_FIELD_BOOL:
        return op == WHERE_EQ || op == WHERE_NE;
    case MR_FIELD_ARRAY:
        break;
    }
    return false;
}

static enum mr_status parse_value(struct where_term *term, struct mr_err *err)
{
    const struct mr_schema_field *field = term->item != NULL ? term->item : term->field;
    char value[VALUE_BYTES_MAX];

    if (!line_text_copy(term->text, value, sizeof(value))) {
        return mr_fail(err, MR_CONFIG, "the value for %s is too long", field->name);
    }
    if (field->nullable && strcmp(value, "null") == 0) {
        term->is_null = true;
        return term->op == WHERE_EQ || term->op == WHERE_NE
                   ? MR_OK
                   : mr_fail(err, MR_CONFIG, "%s is null, or is not: = and != alone", field->name);
    }
    if (!op_fits(field->kind, term->op)) {
        return mr_fail(err, MR_CONFIG, "%s has no order or no text: this operator does not fit",
                       field->name);
    }
    switch (field->kind) {
    case MR_FIELD_LONG:
    case MR_FIELD_INT:
    case MR_FIELD_DECIMAL:
        return parse_decimal(field, value, &term->number, err);
    case MR_FIELD_TIMESTAMP_US:
        return parse_time(field, value, &term->number, err);
    case MR_FIELD_BOOL:
        return parse_bool(field, value, &term->number, err);
    case MR_FIELD_ENUM:
        return term->op == WHERE_LIKE ? MR_OK : parse_symbol(field, value, &term->number, err);
    case MR_FIELD_STRING:
    case MR_FIELD_BYTES:
    case MR_FIELD_FIXED:
    case MR_FIELD_ARRAY:
        break;
    }
    return MR_OK;
}

enum mr_status where_add(struct where *where, const struct mr_schema *schema, const char *text,
                         struct mr_err *err)
{
    struct where_term *term = &where->terms[where->count];
    const size_t name = strcspn(text, "!<>=~");
    struct mr_slice path = trimmed(mr_slice_of(text, name));
    size_t op;

    if (where->count == WHERE_TERMS_MAX) {
        return mr_fail(err, MR_CONFIG, "at most %d conditions", WHERE_TERMS_MAX);
    }
    *term = (struct where_term){.op = operator_at(text + name, &op)};
    if (op == 0 || path.len == 0) {
        return mr_fail(err, MR_CONFIG,
                       "\"%.100s\" is no condition: FIELD=VALUE, with one of = != < <= > >= ~",
                       text);
    }
    term->text = trimmed(mr_slice_str(text + name + op));
    MR_TRY(find_path(term, schema, path, err));
    MR_TRY(parse_value(term, err));
    where->count++;
    return MR_OK;
}
