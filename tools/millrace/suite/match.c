/* match.c -- see expect.h: which of the records that came is which of those that were expected. */
#include "expect.h"

#include <stdlib.h>

/* Of a record that is there and not right, from SOME to MOST; of one without a partner. Two
 * without partners cost more than a pair with nothing in common. */
#define COST_SOME 1
#define COST_MOST 9
#define COST_ALONE 5

json_t *suite_key_json(struct mr_slice key)
{
    json_t *text = json_stringn(key.data == NULL ? "" : (const char *)key.data, key.len);
    struct mr_buffer hex = MR_BUFFER_EMPTY;

    if (text != NULL) {
        return text;
    }
    for (size_t i = 0; i < key.len; i++) {
        mr_buffer_printf(&hex, "%02x", key.data[i]);
    }
    text = json_stringn((const char *)hex.data, hex.len);
    mr_buffer_fini(&hex);
    return text;
}

static bool same(json_t *want, json_t *got)
{
    if (json_is_null(want)) {
        return got == NULL || json_is_null(got);
    }
    return got != NULL && json_equal(want, got) == 1;
}

/* Every field that want names, but no arrays in it. */
static bool same_fields(json_t *want, json_t *got)
{
    const char *name;
    json_t *field;
    bool all = true;

    json_object_foreach(want, name, field)
    {
        all = all && same(field, json_object_get(got, name));
    }
    return all;
}

static bool same_items(json_t *want, json_t *got)
{
    bool all = json_array_size(want) == json_array_size(got);

    for (size_t i = 0; all && i < json_array_size(want); i++) {
        all = same_fields(json_array_get(want, i), json_array_get(got, i));
    }
    return all;
}

size_t suite_differences(json_t *want, json_t *got)
{
    const char *name;
    json_t *field;
    size_t count = 0;

    json_object_foreach(want, name, field)
    {
        json_t *value = json_object_get(got, name);

        count += json_is_array(field) ? !same_items(field, value) : !same(field, value);
    }
    return count;
}

static int pair_cost(json_t *want, json_t *got)
{
    const size_t differ = suite_differences(want, got);

    return differ == 0
               ? 0
               : COST_SOME + (int)(differ * (COST_MOST - COST_SOME) / json_object_size(want));
}

/* cost[w][g]: of the first w against the first g. */
static void fill_costs(json_t *const *want, size_t want_count, json_t *const *got, size_t got_count,
                       int *cost)
{
    const size_t width = got_count + 1;

    for (size_t w = 0; w <= want_count; w++) {
        for (size_t g = 0; g <= got_count; g++) {
            int best = (int)(w + g) * COST_ALONE;

            if (w > 0 && g > 0) {
                const int pair = cost[(w - 1) * width + g - 1] + pair_cost(want[w - 1], got[g - 1]);
                const int up = cost[(w - 1) * width + g] + COST_ALONE;
                const int left = cost[w * width + g - 1] + COST_ALONE;

                best = pair <= up && pair <= left ? pair : up < left ? up : left;
            }
            cost[w * width + g] = best;
        }
    }
}

size_t suite_align(json_t *const *want, size_t want_count, json_t *const *got, size_t got_count,
                   struct suite_pair *pairs)
{
    const size_t width = got_count + 1;
    int *cost = mr_xcalloc((want_count + 1) * width, sizeof(*cost));
    size_t w = want_count;
    size_t g = got_count;
    size_t count = 0;

    fill_costs(want, want_count, got, got_count, cost);
    while (w > 0 || g > 0) { /* from the end */
        const int here = cost[w * width + g];
        struct suite_pair *pair = &pairs[count++];

        *pair = (struct suite_pair){.record = NULL};
        if (w > 0 && g > 0 &&
            here == cost[(w - 1) * width + g - 1] + pair_cost(want[w - 1], got[g - 1])) {
            pair->want = want[--w];
            pair->got = got[--g];
        } else if (w > 0 && here == cost[(w - 1) * width + g] + COST_ALONE) {
            pair->want = want[--w];
        } else {
            pair->got = got[--g];
        }
    }
    free(cost);
    for (size_t i = 0; i < count / 2; i++) {
        const struct suite_pair swap = pairs[i];

        pairs[i] = pairs[count - 1 - i];
        pairs[count - 1 - i] = swap;
    }
    return count;
}
