/*
 * Goal:   any sequence of batches, wipes and reopenings leaves what a table on paper says.
 * Method: random operations from a printed seed against the backend and against a plain array;
 *         after each step a few gets, now and then everything by scan.
 */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>

#define SPACES 3
#define KEYS 64
#define STEPS 1500
#define BATCH_MAX 12
#define SEEDS 4

struct model {
    uint64_t random;
    struct mr_space *spaces[SPACES];
    int values[SPACES][KEYS]; /* 0: absent */
    int metas[SPACES];
    int next_value;
};

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random = model->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(model->random >> 33) % below;
}

static void open_spaces(struct model *model)
{
    for (int32_t i = 0; i < SPACES; i++) {
        model->spaces[i] = space_open("stage.store", i);
    }
}

struct texts {
    char key[16];
    char value[16];
};

static void write_some(struct model *model)
{
    struct texts texts[BATCH_MAX];
    struct texts meta_text;
    struct mr_backend_write writes[BATCH_MAX];
    struct mr_backend_write meta = {.key = BYTES("step"), .has_value = true};
    const uint32_t count = 1 + draw(model, BATCH_MAX);
    const uint32_t meta_space = draw(model, SPACES);

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t space = draw(model, SPACES);
        const uint32_t key = draw(model, KEYS);
        const bool has_value = draw(model, 3) != 0;

        model->values[space][key] = has_value ? ++model->next_value : 0;
        (void)snprintf(texts[i].key, sizeof(texts[i].key), "k%02u", key);
        (void)snprintf(texts[i].value, sizeof(texts[i].value), "%d", model->next_value);
        writes[i] = (struct mr_backend_write){.space = model->spaces[space],
                                              .key = mr_slice_str(texts[i].key),
                                              .value = mr_slice_str(texts[i].value),
                                              .has_value = has_value};
    }
    model->metas[meta_space] = ++model->next_value;
    (void)snprintf(meta_text.value, sizeof(meta_text.value), "%d", model->next_value);
    meta.space = model->spaces[meta_space];
    meta.value = mr_slice_str(meta_text.value);
    write_batch(writes, count, &meta, 1);
}

static void wipe_one(struct model *model)
{
    const uint32_t space = draw(model, SPACES);

    wipe(model->spaces[space]);
    memset(model->values[space], 0, sizeof(model->values[space]));
    model->metas[space] = 0;
}

static void expect_number(struct model *model, uint32_t space, uint32_t key)
{
    struct texts texts;

    (void)snprintf(texts.key, sizeof(texts.key), "k%02u", key);
    (void)snprintf(texts.value, sizeof(texts.value), "%d", model->values[space][key]);
    expect_text(model->spaces[space], texts.key,
                model->values[space][key] == 0 ? NULL : texts.value);
}

static void expect_range(struct model *model, uint32_t space)
{
    struct mr_buffer wanted = MR_BUFFER_EMPTY;
    struct texts from;
    struct texts to;
    const uint32_t first = draw(model, KEYS);
    const uint32_t end = draw(model, KEYS + 1);
    char *keys;

    (void)snprintf(from.key, sizeof(from.key), "k%02u", first);
    (void)snprintf(to.key, sizeof(to.key), "k%02u", end);
    for (uint32_t key = first; key < end; key++) {
        if (model->values[space][key] != 0) {
            mr_buffer_printf(&wanted, "%sk%02u", wanted.len == 0 ? "" : " ", key);
        }
    }
    mr_buffer_append(&wanted, "", 1);
    keys = scan_keys(model->spaces[space], mr_slice_str(from.key), mr_slice_str(to.key));
    ck_assert_str_eq(keys, (const char *)wanted.data);
    free(keys);
    mr_buffer_fini(&wanted);
}

static void expect_all(struct model *model)
{
    char text[16];

    for (uint32_t space = 0; space < SPACES; space++) {
        for (uint32_t key = 0; key < KEYS; key++) {
            expect_number(model, space, key);
        }
        (void)snprintf(text, sizeof(text), "%d", model->metas[space]);
        expect_meta(model->spaces[space], "step", model->metas[space] == 0 ? NULL : text);
        expect_range(model, space);
    }
}

static void reopen(struct model *model)
{
    if (backend_fixture->reopen != NULL) {
        backend = backend_fixture->reopen(backend);
        open_spaces(model);
    }
}

START_TEST(random_operations_equal_the_model)
{
    struct model model = {.random = (uint64_t)_i + 1};

    open_spaces(&model);
    for (int step = 0; step < STEPS; step++) {
        const uint32_t choice = draw(&model, 300);

        if (choice == 0) {
            wipe_one(&model);
        } else if (choice == 1) {
            reopen(&model);
        } else {
            write_some(&model);
        }
        expect_number(&model, draw(&model, SPACES), draw(&model, KEYS));
        expect_range(&model, draw(&model, SPACES));
        if (choice < 8) {
            expect_all(&model);
        }
    }
    expect_all(&model);
}
END_TEST

TCase *backend_model_cases(void)
{
    TCase *tcase = tcase_create("model");

    tcase_add_loop_test(tcase, random_operations_equal_the_model, 0, SEEDS);
    return tcase;
}
