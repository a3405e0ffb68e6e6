/* diff.c -- see expect.h: what was expected beside what came, a line a field. */
#include "domain/codes.h"
#include "expect.h"

#include <stdlib.h>

#define COLUMN_MAX 44

/* A number of the registry is easier to read with its name. */
static bool is_code(const char *name)
{
    const size_t len = strlen(name);

    return strcmp(name, "code") == 0 || (len > 4 && strcmp(name + len - 4, "Code") == 0);
}

static void value_text(const char *name, json_t *value, struct mr_buffer *out)
{
    char *text;

    mr_buffer_clear(out);
    if (value == NULL || json_is_null(value)) {
        mr_buffer_printf(out, "-");
    } else if (json_is_string(value)) {
        mr_buffer_printf(out, "%s",
                         json_string_length(value) == 0 ? "\"\"" : json_string_value(value));
    } else {
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        mr_buffer_printf(out, "%s", text == NULL ? "?" : text);
        free(text);
    }
    if (json_is_integer(value) && is_code(name) && json_integer_value(value) != 0 &&
        code_name((int32_t)json_integer_value(value)) != NULL) {
        mr_buffer_printf(out, " %s", code_name((int32_t)json_integer_value(value)));
    }
    mr_buffer_append(out, "", 1);
}

struct columns {
    int name;
    int want;
};

static int wider(int width, size_t len)
{
    return len > COLUMN_MAX ? COLUMN_MAX : (int)len > width ? (int)len : width;
}

static struct columns measure(json_t *of, json_t *want)
{
    struct columns columns = {.name = 5, .want = 8};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    const char *name;
    json_t *field;

    json_object_foreach(of, name, field)
    {
        columns.name = wider(columns.name, strlen(name));
        value_text(name, json_object_get(want, name), &text);
        columns.want = wider(columns.want, strlen((const char *)text.data));
    }
    mr_buffer_fini(&text);
    return columns;
}

void suite_diff_fields(struct mr_buffer *out, json_t *want, json_t *got)
{
    const struct columns columns = measure(want, want);
    struct mr_buffer left = MR_BUFFER_EMPTY;
    struct mr_buffer right = MR_BUFFER_EMPTY;
    const char *name;
    json_t *field;

    mr_buffer_printf(out, "    %-*s  %-*s  %s\n", columns.name, "", columns.want, "expected",
                     "got");
    json_object_foreach(want, name, field)
    {
        json_t *one = json_pack("{s:O}", name, field);

        value_text(name, field, &left);
        value_text(name, json_object_get(got, name), &right);
        mr_buffer_printf(out, "  %c %-*s  %-*s  %s\n", suite_differences(one, got) > 0 ? '!' : ' ',
                         columns.name, name, columns.want, (const char *)left.data,
                         (const char *)right.data);
        json_decref(one);
    }
    mr_buffer_fini(&left);
    mr_buffer_fini(&right);
}

/* All that is not null. */
static void one(struct mr_buffer *out, json_t *record)
{
    const struct columns columns = measure(record, NULL);
    struct mr_buffer text = MR_BUFFER_EMPTY;
    const char *name;
    json_t *field;

    json_object_foreach(record, name, field)
    {
        if (!json_is_null(field)) {
            value_text(name, field, &text);
            mr_buffer_printf(out, "    %-*s  %s\n", columns.name, name, (const char *)text.data);
        }
    }
    mr_buffer_fini(&text);
}

void suite_diff(struct mr_buffer *out, struct suite_place place, const char *what, json_t *want,
                json_t *got)
{
    const char *verdict = want == NULL  ? "came, and was not expected"
                          : got == NULL ? "was expected, and did not come"
                                        : "is not as expected";

    mr_buffer_printf(out, "%s:%d:%d: a record of %s %s\n", place.file, place.at.line,
                     place.at.column, what, verdict);
    if (want != NULL && got != NULL) {
        suite_diff_fields(out, want, got);
    } else {
        one(out, want != NULL ? want : got);
    }
}
