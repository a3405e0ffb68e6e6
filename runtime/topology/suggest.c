/* suggest.c -- edit distance with one row of a bounded length. See suggest.h. */
#include "suggest.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX ((size_t)64)
#define NEAR_MAX ((size_t)3)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein; names beyond the bounds are nobody's neighbours. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_BYTES_MAX + 1];
    const size_t a_len = strlen(a);
    const size_t b_len = strlen(b);

    if (a_len > NAME_BYTES_MAX || b_len > NAME_BYTES_MAX || a_len > b_len + NEAR_MAX ||
        b_len > a_len + NEAR_MAX) {
        return NAME_BYTES_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            const size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = least(replace, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

void suggest_init(struct suggest *suggest, const char *wanted)
{
    *suggest = (struct suggest){.wanted = wanted, .distance = NAME_BYTES_MAX};
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
    const size_t distance = edit_distance(suggest->wanted, candidate);
    const size_t room = sizeof(suggest->known) - suggest->known_len;
    const size_t len = strlen(candidate);

    if (distance < suggest->distance) {
        suggest->distance = distance;
        suggest->nearest = candidate;
    }
    if (suggest->more || len + 3 > room) {
        suggest->more = true;
        return;
    }
    if (suggest->known_len > 0) {
        memcpy(suggest->known + suggest->known_len, ", ", 2);
        suggest->known_len += 2;
    }
    memcpy(suggest->known + suggest->known_len, candidate, len + 1);
    suggest->known_len += len;
}

const char *suggest_near(const struct suggest *suggest)
{
    const size_t near_max = least(1 + strlen(suggest->wanted) / 4, NEAR_MAX);

    return suggest->distance <= near_max ? suggest->nearest : NULL;
}

const char *suggest_text(struct suggest *suggest)
{
    const char *nearest = suggest_near(suggest);

    suggest->text[0] = '\0';
    if (nearest != NULL) {
        (void)snprintf(suggest->text, sizeof(suggest->text), ", did you mean \"%s\"?", nearest);
    } else if (suggest->known_len > 0) {
        (void)snprintf(suggest->text, sizeof(suggest->text), "; known: %s%s", suggest->known,
                       suggest->more ? ", ..." : "");
    }
    return suggest->text;
}
