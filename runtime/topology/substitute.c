/* substitute.c -- see substitute.h. One pass; what was put in is not looked at again. */
#include "substitute.h"

#include "millrace/buffer.h"

#include <ctype.h>
#include <stdlib.h>

#define NAME_BYTES_MAX ((size_t)128)

static size_t name_length(const char *text)
{
    size_t len = 0;

    while (isalnum((unsigned char)text[len]) != 0 || text[len] == '_') {
        len++;
    }
    return len > 0 && isdigit((unsigned char)text[0]) == 0 ? len : 0;
}

/* One reference; `text` starts behind "${". Returns how many bytes of it were used, 0 on a problem.
 */
static size_t reference(const char *text, struct mr_position at, struct mr_buffer *out,
                        struct problem_list *problems)
{
    char name[NAME_BYTES_MAX];
    const char *end = strchr(text, '}');
    const size_t len = name_length(text);

    if (end == NULL) {
        problem_add(problems, at, "\"${\" without its \"}\": write ${NAME} or ${NAME:-fallback}");
        return 0;
    }
    const bool fallback = strncmp(text + len, ":-", 2) == 0;
    if (len == 0 || len >= sizeof(name) || (!fallback && text[len] != '}')) {
        problem_add(problems, at, "\"${%.*s}\" is no reference: write ${NAME} or ${NAME:-fallback}",
                    (int)(end - text), text);
        return (size_t)(end - text) + 1;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    const char *value = getenv(name);
    if (value != NULL && value[0] != '\0') {
        mr_buffer_append(out, value, strlen(value));
    } else if (fallback) {
        mr_buffer_append(out, text + len + 2, (size_t)(end - text) - len - 2);
    } else {
        problem_add(problems, at,
                    "environment variable %s has no value: set it, or write ${%s:-fallback}", name,
                    name);
    }
    return (size_t)(end - text) + 1;
}

const char *substitute(const char *text, struct mr_position at, struct mr_arena *arena,
                       struct problem_list *problems)
{
    struct mr_buffer out = MR_BUFFER_EMPTY;
    size_t i = 0;

    while (text[i] != '\0') {
        if (out.len > SUBSTITUTE_BYTES_MAX) {
            problem_add(problems, at, "longer than %zu bytes, with variables put in",
                        SUBSTITUTE_BYTES_MAX);
            break;
        }
        if (strncmp(text + i, "$${", 3) == 0) {
            mr_buffer_append(&out, "${", 2);
            i += 3;
        } else if (strncmp(text + i, "${", 2) == 0) {
            struct mr_position here = at;
            here.column += (int)i;
            const size_t used = reference(text + i + 2, here, &out, problems);
            if (used == 0) {
                break;
            }
            i += 2 + used;
        } else {
            mr_buffer_append(&out, text + i, 1);
            i++;
        }
    }
    mr_buffer_append(&out, "", 1);
    const char *copy = (const char *)mr_arena_copy(arena, mr_buffer_slice(&out)).data;
    mr_buffer_fini(&out);
    return copy;
}
