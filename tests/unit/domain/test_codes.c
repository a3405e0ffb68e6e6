/*
 * test_codes.c
 *
 * Goal:   numbers, names and texts of reject codes stay together; the words of an order have the
 *         ordinals the records have.
 * Method: the X-macro lists are compared with the text of the .avsc files.
 */
#include "domain/codes.h"
#include "domain/instrument.h"
#include "domain/ledger.h"
#include "domain_test.h"

#define SYMBOL(name) "\"" #name "\", "

static const struct {
    const char *file;
    const char *type;
    const char *symbols; /* each followed by ", " */
} enum_rows[] = {
    {"OrderCommand.avsc", "Action", ORD_ACTIONS(SYMBOL)},
    {"OrderCommand.avsc", "Side", ORD_SIDES(SYMBOL)},
    {"OrderCommand.avsc", "OrderType", ORD_TYPES(SYMBOL)},
    {"OrderCommand.avsc", "TimeInForce", ORD_TIFS(SYMBOL)},
    {"OrderCommand.avsc", "StpMode", ORD_STPS(SYMBOL)},
    {"ExecutionReport.avsc", "OrderStatus", ORD_STATUSES(SYMBOL)},
    {"ExecutionReport.avsc", "ExecType", ORD_EXECS(SYMBOL)},
    {"ExecutionReport.avsc", "Liquidity", ORD_LIQUIDITIES(SYMBOL)},
    {"ExecutionReport.avsc", "CancelReason", ORD_CANCEL_REASONS(SYMBOL)},
    {"Instrument.avsc", "SymbolState", INSTR_STATES(SYMBOL)},
    {"LedgerEntry.avsc", "EntryType", LEDGER_ENTRIES(SYMBOL)},
    {"LedgerEntry.avsc", "Direction", LEDGER_DIRECTIONS(SYMBOL)},
};

START_TEST(ordinals_are_those_of_the_records)
{
    static char text[32768];
    char path[512];
    char wanted[128];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/%s", MR_SCHEMA_DIR, enum_rows[_i].file);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    snprintf(wanted, sizeof(wanted), "\"name\": \"%s\", \"symbols\": [", enum_rows[_i].type);
    const char *found = strstr(text, wanted);
    ck_assert_msg(found != NULL, "%s has no %s", enum_rows[_i].file, enum_rows[_i].type);
    found += strlen(wanted);
    const size_t len = strlen(enum_rows[_i].symbols) - 2; /* without the last ", " */
    ck_assert_msg(strncmp(found, enum_rows[_i].symbols, len) == 0 && found[len] == ']',
                  "%s: the list is %s", enum_rows[_i].type, enum_rows[_i].symbols);
}
END_TEST

START_TEST(a_code_has_number_name_and_text)
{
    ck_assert_int_eq(CODE_PRICE_TICK, 1103);
    ck_assert_str_eq(code_name(1103), "PRICE_TICK");
    ck_assert_str_eq(code_name(CODE_OK), "OK");
    ck_assert_str_eq(code_text(CODE_OK), "");
    ck_assert_ptr_null(code_name(1104));
    ck_assert_ptr_null(code_text(-1));
}
END_TEST

START_TEST(numbers_are_unique)
{
    static const int32_t numbers[] = {
#define NUMBER(name, number, stage, text, advice) (number),
        DOM_CODES(NUMBER)
#undef NUMBER
    };
    const size_t count = sizeof(numbers) / sizeof(numbers[0]);

    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            ck_assert_int_ne(numbers[i], numbers[k]);
        }
    }
}
END_TEST

START_TEST(rows_ascend_and_each_says_what_is_wrong_and_what_to_do)
{
    size_t count = 0;
    const struct code_row *rows = code_rows(&count);

    ck_assert_uint_gt(count, 40);
    for (size_t i = 0; i < count; i++) {
        ck_assert(i == 0 || rows[i - 1].number < rows[i].number);
        ck_assert_msg(rows[i].text[0] != '\0' && rows[i].advice[0] != '\0', "%s", rows[i].name);
        ck_assert_ptr_eq(code_name(rows[i].number), rows[i].name);
        ck_assert_ptr_eq(code_text(rows[i].number), rows[i].text);
    }
}
END_TEST

START_TEST(every_reason_of_a_cancel_has_its_row)
{
    static const char *const names[] = {
#define NAME(name) #name,
        ORD_CANCEL_REASONS(NAME)
#undef NAME
    };
    size_t count = 0;
    const struct reason_row *reasons = code_reasons(&count);

    ck_assert_uint_eq(count, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_nonnull(reasons[i].name);
        ck_assert_str_eq(reasons[i].name, names[i]);
        ck_assert_msg(reasons[i].text[0] != '\0' && reasons[i].advice[0] != '\0', "%s", names[i]);
    }
}
END_TEST

START_TEST(a_list_keeps_order_and_drops_repetitions)
{
    struct code_list list = {0};
    char text[CODE_LIST_TEXT_MAX];

    ck_assert_int_eq(code_list_first(&list), CODE_OK);
    ck_assert_uint_eq(code_list_text(&list, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "");
    code_list_add(&list, CODE_QTY_STEP);
    code_list_add(&list, CODE_PRICE_TICK);
    code_list_add(&list, CODE_QTY_STEP);
    code_list_add(&list, CODE_PRICE_TICK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(code_list_first(&list), CODE_QTY_STEP);
    const size_t len = code_list_text(&list, text, sizeof(text));
    ck_assert_str_eq(text, "1113 QTY_STEP: quantity is not a multiple of the lot size; "
                           "1103 PRICE_TICK: price is not a multiple of the tick size");
    ck_assert_uint_eq(len, strlen(text));
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_cut)
{
    struct code_list list = {.items = {CODE_QTY_STEP, CODE_PRICE_TICK}, .count = 2};
    char text[20];

    ck_assert_uint_eq(code_list_text(&list, text, sizeof(text)), 19);
    ck_assert_str_eq(text, "1113 QTY_STEP: quan");
    ck_assert_uint_eq(code_list_text(&list, text, 0), 0);
}
END_TEST

START_TEST(a_text_is_cut_at_any_byte)
{
    struct code_list list = {.items = {CODE_QTY_STEP, CODE_PRICE_TICK}, .count = 2};
    char whole[CODE_LIST_TEXT_MAX];
    const size_t len = code_list_text(&list, whole, sizeof(whole));

    for (size_t room = 1; room <= len + 1; room++) {
        char *text = malloc(room); /* so that the sanitizer sees a byte too many */

        ck_assert_uint_eq(code_list_text(&list, text, room), room - 1);
        ck_assert_msg(strncmp(text, whole, room - 1) == 0 && text[room - 1] == '\0', "%zu", room);
        free(text);
    }
}
END_TEST

START_TEST(the_longest_list_fits_its_room)
{
    static const enum dom_code all[] = {
#define CODE(name, number, stage, text, advice) CODE_##name,
        DOM_CODES(CODE)
#undef CODE
    };
    struct code_list list = {0};
    char text[CODE_LIST_TEXT_MAX];

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        code_list_add(&list, all[i]);
    }
    ck_assert_uint_eq(list.count, CODE_LIST_MAX);
    ck_assert_uint_lt(code_list_text(&list, text, sizeof(text)), sizeof(text) - 1);
}
END_TEST

static const char *const status_rows[] = {
    /* to: N A F S R C */
    [ORD_STATUS_NEW] = ".x..xx",      [ORD_STATUS_ACCEPTED] = ".xx..x",
    [ORD_STATUS_FILLED] = "...x..",   [ORD_STATUS_SETTLED] = "......",
    [ORD_STATUS_REJECTED] = "......", [ORD_STATUS_CANCELLED] = "......",
};

START_TEST(a_status_follows_another_as_the_table_says)
{
    for (int to = ORD_STATUS_NEW; to <= ORD_STATUS_CANCELLED; to++) {
        ck_assert_msg(ord_status_follows((enum ord_status)_i, (enum ord_status)to) ==
                          (status_rows[_i][to] == 'x'),
                      "%d to %d", _i, to);
    }
}
END_TEST

START_TEST(the_status_automaton_ends)
{
    for (int from = ORD_STATUS_NEW; from <= ORD_STATUS_CANCELLED; from++) {
        int ways = 0;
        for (int to = ORD_STATUS_NEW; to <= ORD_STATUS_CANCELLED; to++) {
            ways += ord_status_follows((enum ord_status)from, (enum ord_status)to) ? 1 : 0;
        }
        ck_assert_int_eq(ways == 0, ord_status_terminal((enum ord_status)from));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codes");
    TCase *tcase = tcase_create("codes");

    tcase_add_loop_test(tcase, ordinals_are_those_of_the_records, 0,
                        (int)(sizeof(enum_rows) / sizeof(enum_rows[0])));
    tcase_add_test(tcase, a_code_has_number_name_and_text);
    tcase_add_test(tcase, numbers_are_unique);
    tcase_add_test(tcase, rows_ascend_and_each_says_what_is_wrong_and_what_to_do);
    tcase_add_test(tcase, every_reason_of_a_cancel_has_its_row);
    tcase_add_test(tcase, a_list_keeps_order_and_drops_repetitions);
    tcase_add_test(tcase, a_text_that_does_not_fit_is_cut);
    tcase_add_test(tcase, a_text_is_cut_at_any_byte);
    tcase_add_test(tcase, the_longest_list_fits_its_room);
    tcase_add_loop_test(tcase, a_status_follows_another_as_the_table_says, 0,
                        (int)(sizeof(status_rows) / sizeof(status_rows[0])));
    tcase_add_test(tcase, the_status_automaton_ends);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
