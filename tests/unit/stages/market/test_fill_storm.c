/*
 * Goal: undo is exact. Whatever the stage was doing when a call failed, memory made again from the
 *       stores is the memory from before; and the whole goes on as if nothing had been.
 * Method: random steps of every kind and command, by seed, as lines of a script (fill_script.h).
 *         Each step is first struck at its first store call, its second, and so on, and the same
 *         with its emits; after each strike memory is compared as text. Then it is worked. A second
 *         stage that is never struck must have given the same bytes.
 */
#include "fill_memory.h"
#include "fill_mirror.h"

#define STEPS 260
#define STEP_BYTES 192

struct dice {
    uint64_t seed;
    int issued;
    int now_s;
};

static int roll(struct dice *dice, int sides)
{
    dice->seed = dice->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((dice->seed >> 33) % (uint64_t)sides);
}

static const char *word(struct dice *dice, const char *const *words, size_t count)
{
    return words[roll(dice, (int)count)];
}

/* Prices lie close, so that orders meet; quantities are few lots. */
/* An order has a user of its own; now and then somebody else means it. */
static int user_of(struct dice *dice, int id)
{
    return roll(dice, 12) == 0 ? roll(dice, 5) : id % 5;
}

/* One of the last orders. */
static int recent(struct dice *dice)
{
    const int back = roll(dice, 30);

    return dice->issued > back ? dice->issued - back : 0;
}

static void draw_order(struct dice *dice, char *step)
{
    static const char *const modes[] = {"", "", "maker", "both", "dec", "dec", "none"};
    static const char *const tifs[] = {"", "", "", "ioc", "fok", "post", "gtd"};
    const char side = roll(dice, 2) == 0 ? 'B' : 'S';
    const int price = (side == 'B' ? 95 : 99) + roll(dice, 8);
    const char *tif = word(dice, tifs, MR_COUNT(tifs));
    char end[16] = "";
    int id = dice->issued++;
    int user = 0;

    if (roll(dice, 25) == 0) {
        id = roll(dice, dice->issued); /* perhaps of an order that lives */
    }
    user = user_of(dice, id);
    if (strcmp(tif, "gtd") == 0) {
        (void)snprintf(end, sizeof(end), "gtd:%d", dice->now_s + roll(dice, 12));
        tif = "";
    }
    switch (roll(dice, 9)) {
    case 0:
        (void)snprintf(step, STEP_BYTES, "o%d u%d %c %d.%d@%d mkt %s", id, user, side,
                       roll(dice, 3), 1 + roll(dice, 9), price, word(dice, modes, MR_COUNT(modes)));
        return;
    case 1:
        (void)snprintf(step, STEP_BYTES, "o%d u%d %c $%d@%d mkt %s", id, user, side,
                       1 + roll(dice, 400), price, word(dice, modes, MR_COUNT(modes)));
        return;
    case 2:
        (void)snprintf(step, STEP_BYTES, "o%d u%d %c %d.%d@%d stop:%d %s %s %s", id, user, side,
                       roll(dice, 3), 1 + roll(dice, 9), price + (side == 'B' ? 2 : -2), price,
                       strcmp(tif, "post") == 0 ? "" : tif, end,
                       word(dice, modes, MR_COUNT(modes)));
        return;
    case 3:
        (void)snprintf(step, STEP_BYTES, "o%d u%d %c %d.%d@%d stop:%d mkt %s %s", id, user, side,
                       roll(dice, 3), 1 + roll(dice, 9), price + (side == 'B' ? 3 : -3), price, end,
                       word(dice, modes, MR_COUNT(modes)));
        return;
    default:
        (void)snprintf(step, STEP_BYTES, "o%d u%d %c %d.%d@%d %s %s %s", id, user, side,
                       roll(dice, 3), 1 + roll(dice, 9), price, tif, end,
                       word(dice, modes, MR_COUNT(modes)));
        return;
    }
}

static void draw_amend(struct dice *dice, char *step)
{
    const int target = recent(dice);
    const int user = user_of(dice, target);
    const char *fault = roll(dice, 6) == 0 ? " short:1" : "";

    switch (roll(dice, 3)) {
    case 0:
        (void)snprintf(step, STEP_BYTES, "amend o%d u%d %d.%d%s", target, user, roll(dice, 3),
                       roll(dice, 10), fault);
        return;
    case 1:
        (void)snprintf(step, STEP_BYTES, "amend o%d u%d @%d%s", target, user, 95 + roll(dice, 11),
                       fault);
        return;
    default:
        (void)snprintf(step, STEP_BYTES, "amend o%d u%d %d.%d@%d%s", target, user, roll(dice, 3),
                       roll(dice, 10), 95 + roll(dice, 11), fault);
        return;
    }
}

static void draw(struct dice *dice, char *step)
{
    static const char *const states[] = {"HALT",       "CANCEL_ONLY", "POST_ONLY",
                                         "LIMIT_ONLY", "BREAK",       "TRADING"};

    int target = 0;

    switch (roll(dice, 30)) {
    case 0:
        (void)snprintf(step, STEP_BYTES, "state %s",
                       roll(dice, 2) == 0 ? "TRADING" : word(dice, states, MR_COUNT(states)));
        return;
    case 1:
        (void)snprintf(step, STEP_BYTES, "range 0.9%d 1.0%d", roll(dice, 10), 1 + roll(dice, 9));
        return;
    case 2:
        (void)snprintf(step, STEP_BYTES, "all u%d%s", roll(dice, 5),
                       roll(dice, 2) == 0 ? " RISK" : "");
        return;
    case 4:
        (void)snprintf(step, STEP_BYTES, "tick %d", dice->now_s += roll(dice, 4));
        return;
    case 5:
    case 6:
    case 7:
        (void)snprintf(step, STEP_BYTES, "at %d", dice->now_s += roll(dice, 3));
        return;
    case 8:
    case 9:
        target = recent(dice);
        (void)snprintf(step, STEP_BYTES, "cancel o%d u%d", target, user_of(dice, target));
        return;
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
        draw_amend(dice, step);
        return;
    default:
        draw_order(dice, step);
        return;
    }
}

static enum mr_status once(struct script *script, const char *step)
{
    struct script again = *script;
    const enum mr_status status = script_step(&again, step, strlen(step));

    if (status == MR_OK) {
        *script = again;
    }
    return status;
}

/* The step fails at its first call of this kind, its second, ..., until it makes fewer. */
static size_t strike(struct script *script, const char *step, enum mr_driver_fault fault)
{
    char *before = memory_text(script->driver);
    unsigned nth = 1;

    for (;; nth++) {
        struct script trial = *script;
        enum mr_status status = MR_OK;

        mr_driver_fail(script->driver, fault, nth);
        status = script_step(&trial, step, strlen(step));
        mr_driver_fail(script->driver, MR_DRIVER_FAULT_NONE, 1);
        if (status == MR_OK) {
            break;
        }
        memory_is(script->driver, before, step);
    }
    /* It went through: taken back as a transaction that the log refused. */
    mr_driver_abort(script->driver);
    memory_is(script->driver, before, step);
    free(before);
    return nth - 1;
}

static void compare(struct mr_driver *a, struct mr_driver *b, const char *port)
{
    const size_t count = mr_driver_emit_count(a, port);

    ck_assert_uint_eq(count, mr_driver_emit_count(b, port));
    for (size_t i = 0; i < count; i++) {
        ck_assert(
            mr_slice_equal(mr_driver_emit_bytes(a, port, i), mr_driver_emit_bytes(b, port, i)));
    }
}

static bool is_plain(const char *step)
{
    return strncmp(step, "at ", 3) == 0;
}

START_TEST(a_strike_at_any_call_leaves_no_trace)
{
    static const enum mr_driver_fault faults[] = {MR_DRIVER_FAULT_GET, MR_DRIVER_FAULT_PUT,
                                                  MR_DRIVER_FAULT_EMIT,
                                                  MR_DRIVER_FAULT_EMIT_POISON};
    struct dice dice = {.seed = (uint64_t)_i * 7919 + 13};
    struct script plain;
    struct script shaken;
    size_t strikes = 0;

    script_open(&plain);
    script_open(&shaken);
    ck_assert_int_eq(mr_driver_commit(plain.driver), MR_OK);
    ck_assert_int_eq(mr_driver_commit(shaken.driver), MR_OK);
    for (int i = 0; i < STEPS; i++) {
        char step[STEP_BYTES];

        draw(&dice, step);
        for (size_t f = 0; f < MR_COUNT(faults) && !is_plain(step); f++) {
            strikes += strike(&shaken, step, faults[f]);
        }
        ck_assert_int_eq(once(&plain, step), MR_OK);
        ck_assert_int_eq(once(&shaken, step), MR_OK);
        ck_assert_int_eq(mr_driver_commit(plain.driver), MR_OK);
        ck_assert_int_eq(mr_driver_commit(shaken.driver), MR_OK);
        if (i % 50 == 49) {
            mr_driver_restart(shaken.driver);
        }
        if (i % 10 == 9) {
            char *grown = memory_text(plain.driver);

            memory_is(shaken.driver, grown, step);
            free(grown);
        }
    }
    ck_assert_uint_gt(strikes, STEPS);
    compare(plain.driver, shaken.driver, "executions");
    compare(plain.driver, shaken.driver, "trades");
    compare(plain.driver, shaken.driver, "book");
    ck_assert(mr_driver_state_digest(plain.driver) == mr_driver_state_digest(shaken.driver));
    check_all_reports(plain.driver);
    check_books(shaken.driver);
    script_close(&plain);
    script_close(&shaken);
}
END_TEST

/* Several steps a transaction, and a poisoned one among them: the others stand. */
START_TEST(a_long_storm_adds_up_and_survives_restarts)
{
    struct dice dice = {.seed = (uint64_t)_i * 104729 + 5};
    struct script script;
    size_t kinds[16] = {0};

    script_open(&script);
    for (int i = 0; i < 8000; i++) {
        char step[STEP_BYTES];
        char *before = NULL;

        draw(&dice, step);
        if (roll(&dice, 40) == 0 && !is_plain(step)) {
            struct script trial = script;

            before = memory_text(script.driver);
            mr_driver_fail(script.driver, MR_DRIVER_FAULT_EMIT_POISON,
                           (unsigned)roll(&dice, 3) + 1);
            if (script_step(&trial, step, strlen(step)) == MR_OK) {
                script = trial;
            } else {
                memory_is(script.driver, before, step);
            }
            mr_driver_fail(script.driver, MR_DRIVER_FAULT_NONE, 1);
            free(before);
        } else {
            ck_assert_int_eq(once(&script, step), MR_OK);
        }
        if (roll(&dice, 20) == 0) {
            ck_assert_int_eq(mr_driver_commit(script.driver), MR_OK);
        }
        if (i % 500 == 499) {
            memory_survives_a_restart(script.driver, step);
        }
    }
    ck_assert_int_eq(mr_driver_commit(script.driver), MR_OK);
    check_all_reports(script.driver);
    check_books(script.driver);
    for (size_t i = 0; i < reports(script.driver); i++) {
        kinds[report(script.driver, i)->exec_type]++;
    }
    for (int kind = 0; kind < OMS_EXEC_TYPE_SETTLED; kind++) {
        ck_assert_msg(kinds[kind] > 20, "%zu reports %s", kinds[kind], oms_exec_type_symbols[kind]);
    }
    script_close(&script);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill storm");
    TCase *storm = tcase_create("storm");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_set_timeout(storm, 100);
    tcase_add_loop_test(storm, a_strike_at_any_call_leaves_no_trace, 0, 4);
    tcase_add_loop_test(storm, a_long_storm_adds_up_and_survives_restarts, 0, 4);
    suite_add_tcase(suite, storm);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
