/*
 * test_canonical.c
 *
 * Goal:   a record and its document give the same text, whatever notation the store chose; a
 * changed value does not. Method: one ledger entry against documents in several notations.
 */
#include "avro/ledger_entry.h"
#include "load_decimal.h"
#include "verify_canonical.h"

#include <check.h>
#include <stdlib.h>

#define HEAD                                                                                       \
    "{\"_id\":\"x\",\"journalId\":\"J1\",\"userId\":\"u\",\"execId\":\"E\",\"entryType\":"         \
    "\"HOLD\","
#define POSTINGS                                                                                   \
    "\"postings\":[{\"account\":\"user:u:BTC:avail\",\"asset\":\"BTC\",\"direction\":\"DEBIT\","   \
    "\"amount\":\"1.5\",\"balanceAfter\":\"10\"}]"

static const struct {
    const char *document;
    bool equal;
    const char *why;
} rows[] = {
    {HEAD "\"ts\":\"1970-01-01T00:00:01.234567Z\",\"seq\":7," POSTINGS "}", true, "plain JSON"},
    {HEAD "\"ts\":{\"$date\":\"1970-01-01T00:00:01.234Z\"},\"seq\":7," POSTINGS "}", true,
     "a date"},
    {HEAD "\"ts\":{\"$date\":{\"$numberLong\":\"1234\"}},\"seq\":{\"$numberLong\":\"7\"}," POSTINGS
          "}",
     true, "a date as a number"},
    {HEAD "\"ts\":1234567,\"seq\":\"7\"," POSTINGS "}", true, "microseconds, number as text"},
    {HEAD "\"ts\":1234567,\"seq\":7,\"orderId\":null," POSTINGS "}", true, "null is absent"},
    {HEAD "\"ts\":1234567,\"seq\":7,\"postings\":[{\"account\":\"user:u:BTC:avail\",\"asset\":"
          "\"BTC\",\"direction\":\"DEBIT\",\"amount\":{\"$numberDecimal\":\"150E-2\"},"
          "\"balanceAfter\":{\"$numberDecimal\":\"1E+1\"}}]}",
     true, "decimals with exponents"},
    {HEAD "\"ts\":1235567,\"seq\":7," POSTINGS "}", false, "another millisecond"},
    {HEAD "\"ts\":1234567,\"seq\":8," POSTINGS "}", false, "another number"},
    {HEAD "\"ts\":1234567,\"seq\":7,\"orderId\":\"o\"," POSTINGS "}", false, "a field too many"},
    {HEAD "\"ts\":1234567," POSTINGS "}", false, "a field is missing"},
    {HEAD "\"ts\":1234567,\"seq\":7,\"postings\":[]}", false, "no postings"},
    {HEAD "\"ts\":1234567,\"seq\":7,\"postings\":[{\"account\":\"user:u:BTC:avail\",\"asset\":"
          "\"BTC\",\"direction\":\"CREDIT\",\"amount\":\"1.5\",\"balanceAfter\":\"10\"}]}",
     false, "the other direction"},
    {HEAD "\"ts\":1234567,\"seq\":7,\"postings\":[{\"account\":\"user:u:BTC:avail\",\"asset\":"
          "\"BTC\",\"direction\":\"DEBIT\",\"amount\":1.5,\"balanceAfter\":\"10\"}]}",
     false, "money as a floating-point number"},
};

START_TEST(a_document_equals_its_record_in_any_notation)
{
    struct oms_posting posting = {.account = mr_slice_str("user:u:BTC:avail"),
                                  .asset = mr_slice_str("BTC"),
                                  .direction = OMS_DIRECTION_DEBIT,
                                  .amount = LOAD_DECIMAL_ONE * 3 / 2,
                                  .balance_after = LOAD_DECIMAL_ONE * 10,
                                  .has_balance_after = true};
    const struct oms_ledger_entry entry = {.journal_id = mr_slice_str("J1"),
                                           .ts_us = 1234567,
                                           .user_id = mr_slice_str("u"),
                                           .exec_id = mr_slice_str("E"),
                                           .has_exec_id = true,
                                           .entry_type = OMS_ENTRY_TYPE_HOLD,
                                           .seq = 7,
                                           .postings = {.items = &posting, .count = 1}};
    struct mr_buffer record = MR_BUFFER_EMPTY;
    struct mr_buffer document = MR_BUFFER_EMPTY;
    json_t *json = json_loads(rows[_i].document, 0, NULL);

    ck_assert_msg(json != NULL, "%s", rows[_i].why);
    verify_canonical_record(&oms_ledger_entry_schema, &entry, NULL, &record);
    verify_canonical_document(&oms_ledger_entry_schema, json, NULL, &document);
    ck_assert_msg(mr_slice_equal(mr_buffer_slice(&record), mr_buffer_slice(&document)) ==
                      rows[_i].equal,
                  "%s:\n%.*s---\n%.*s", rows[_i].why, (int)record.len, (const char *)record.data,
                  (int)document.len, (const char *)document.data);
    json_decref(json);
    mr_buffer_fini(&record);
    mr_buffer_fini(&document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("canonical");
    TCase *tcase = tcase_create("canonical");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tcase, a_document_equals_its_record_in_any_notation, 0,
                        (int)MR_COUNT(rows));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
