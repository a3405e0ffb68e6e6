/* where.c -- does a record match? See where.h. */
#include "where.h"

#include "line_text.h"
#include "runtime/codec/json_text.h"

#define ATOMS_PER_UNIT ((mr_i128)1000000000000000000)

bool where_glob(struct mr_slice pattern, struct mr_slice text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX; /* the last one seen, */
    size_t covers = 0;      /* and up to where it reaches */

    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            covers = t;
        } else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++covers;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

static bool contains(struct mr_slice part, struct mr_slice text)
{
    for (size_t at = 0; at + part.len <= text.len; at++) {
        if (mr_slice_equal(mr_slice_of(text.data + at, part.len), part)) {
            return true;
        }
    }
    return false;
}

static bool is_like(struct mr_slice pattern, struct mr_slice text)
{
    const bool glob =
        memchr(pattern.data, '*', pattern.len) != NULL || memchr(pattern.data, '?', pattern.len);

    return glob ? where_glob(pattern, text) : contains(pattern, text);
}

/* order: of the field against the value, as memcmp says it. */
static bool holds(enum where_op op, int order)
{
    switch (op) {
    case WHERE_EQ:
        return order == 0;
    case WHERE_NE:
        return order != 0;
    case WHERE_LT:
        return order < 0;
    case WHERE_LE:
        return order <= 0;
    case WHERE_GT:
        return order > 0;
    case WHERE_GE:
        return order >= 0;
    case WHERE_LIKE:
        break;
    }
    return false;
}

static bool text_matches(const struct where_term *term, struct mr_slice text)
{
    return term->op == WHERE_LIKE ? is_like(term->text, text)
                                  : holds(term->op, mr_slice_compare(text, term->text));
}

static bool hex_matches(const struct where_term *term, struct mr_slice bytes)
{
    struct mr_buffer quoted = MR_BUFFER_EMPTY;
    bool matches;

    line_hex_append(&quoted, bytes);
    matches = text_matches(term, mr_slice_of(quoted.data + 1, quoted.len - 2));
    mr_buffer_fini(&quoted);
    return matches;
}

static bool number_matches(const struct where_term *term, mr_i128 number)
{
    return holds(term->op, number < term->number ? -1 : number > term->number);
}

static bool scalar_matches(const struct where_term *term, const struct mr_schema_field *field,
                           const uint8_t *at)
{
    struct mr_slice text;
    mr_i128 atoms = 0;
    int64_t wide = 0;
    int32_t narrow = 0;
    unsigned symbol = 0;
    bool flag = false;

    switch (field->kind) {
    case MR_FIELD_STRING:
        memcpy(&text, at, sizeof(text));
        return text_matches(term, text);
    case MR_FIELD_BYTES:
        memcpy(&text, at, sizeof(text));
        return hex_matches(term, text);
    case MR_FIELD_FIXED:
        return hex_matches(term, mr_slice_of(at, field->fixed_bytes));
    case MR_FIELD_LONG:
        memcpy(&wide, at, sizeof(wide));
        return number_matches(term, wide * ATOMS_PER_UNIT);
    case MR_FIELD_INT:
        memcpy(&narrow, at, sizeof(narrow));
        return number_matches(term, narrow * ATOMS_PER_UNIT);
    case MR_FIELD_TIMESTAMP_US:
        memcpy(&wide, at, sizeof(wide));
        return number_matches(term, wide);
    case MR_FIELD_DECIMAL:
        memcpy(&atoms, at, sizeof(atoms));
        return number_matches(term, atoms);
    case MR_FIELD_BOOL:
        memcpy(&flag, at, sizeof(flag));
        return number_matches(term, flag);
    case MR_FIELD_ENUM:
        memcpy(&symbol, at, sizeof(symbol));
        return term->op == WHERE_LIKE ? is_like(term->text, mr_slice_str(field->symbols[symbol]))
                                      : number_matches(term, symbol);
    case MR_FIELD_ARRAY:
        break;
    }
    return false;
}

static bool field_matches(const struct where_term *term, const struct mr_schema_field *field,
                          const uint8_t *record)
{
    bool has = true;

    if (field->nullable) {
        memcpy(&has, record + field->has_offset, sizeof(has));
    }
    if (term->is_null) {
        return has == (term->op == WHERE_NE);
    }
    return has ? scalar_matches(term, field, record + field->offset) : term->op == WHERE_NE;
}

static bool term_matches(const struct where_term *term, const uint8_t *record)
{
    struct mr_json_items list;

    if (term->item == NULL) {
        return field_matches(term, term->field, record);
    }
    memcpy(&list, record + term->field->offset, sizeof(list));
    for (size_t i = 0; i < list.count; i++) {
        if (field_matches(term, term->item,
                          (const uint8_t *)list.items + i * term->field->item_bytes)) {
            return true;
        }
    }
    return false;
}

bool where_matches(const struct where *where, const void *value)
{
    for (size_t i = 0; i < where->count; i++) {
        if (value == NULL || !term_matches(&where->terms[i], value)) {
            return false;
        }
    }
    return true;
}
