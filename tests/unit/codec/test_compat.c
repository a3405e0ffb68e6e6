/*
 * Goal:   BACKWARD compatibility is what Avro says it is, and where avro-c is more generous or more
 *         strict, what compat.c says.
 * Method: a table of writer, reader, verdict and why; every schema of ours against itself.
 */
#include "avro/catalog.h"
#include "compat.h"

#include <check.h>
#include <stdlib.h>

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define OPTIONAL(name, type) "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null}"
#define ENUM(symbols) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]}"
#define OTHER_ENUM "{\"type\":\"enum\",\"name\":\"O\",\"symbols\":[\"Z\"]}"
#define FIXED(size) "{\"type\":\"fixed\",\"name\":\"F\",\"size\":" size "}"
#define TIME(unit) "{\"type\":\"long\",\"logicalType\":\"timestamp-" unit "\"}"
#define DECIMAL(scale)                                                                             \
    "{\"type\":\"fixed\",\"name\":\"D\",\"size\":16,\"logicalType\":\"decimal\","                  \
    "\"precision\":38,\"scale\":" scale "}"
#define ITEMS(fields)                                                                              \
    "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[" fields "]}}"

struct compat_case {
    const char *writer;
    const char *reader;
    enum mr_status want;
    const char *why;
};

static const struct compat_case CASES[] = {
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"int\"")), MR_OK, "the same"},
    {"{\"type\":\"record\",\"name\":\"far.away.R\",\"fields\":[" FIELD("a", "\"int\"") "]}",
     RECORD(FIELD("a", "\"int\"")), MR_OK, "a namespace in front of the name is no other name"},
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"long\"")), MR_OK, "int widens to long"},
    {RECORD(FIELD("a", "\"long\"")), RECORD(FIELD("a", "\"int\"")), MR_EXISTS,
     "long does not narrow"},
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"string\"")), MR_EXISTS, "another type"},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")), RECORD(FIELD("a", "\"int\"")), MR_OK,
     "a field was removed"},
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"int\"") "," OPTIONAL("b", "\"int\"")),
     MR_OK, "a field with a default was added; avro-c alone refuses this"},
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")),
     MR_EXISTS, "a field without a default was added"},
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("b", "\"int\"")), MR_EXISTS, "renamed"},
    {RECORD(FIELD("a", "\"int\"")), RECORD(OPTIONAL("a", "\"int\"")), MR_OK, "became optional"},
    {RECORD(FIELD("a", ENUM("\"X\",\"Y\""))), RECORD(FIELD("a", ENUM("\"X\",\"Y\",\"Z\""))), MR_OK,
     "a symbol was added at the end"},
    {RECORD(FIELD("a", ENUM("\"X\",\"Y\""))), RECORD(FIELD("a", ENUM("\"X\""))), MR_EXISTS,
     "a symbol in use was removed"},
    {RECORD(FIELD("a", ENUM("\"X\",\"Y\"")) "," FIELD("b", OTHER_ENUM)),
     RECORD(FIELD("a", ENUM("\"X\"")) "," FIELD("b", OTHER_ENUM)), MR_EXISTS,
     "the same before an enum that did not change"},
    {RECORD(FIELD("a", ENUM("\"X\",\"Y\""))), RECORD(FIELD("a", ENUM("\"Y\",\"X\""))), MR_EXISTS,
     "avro-c alone would read X as Y"},
    {RECORD(OPTIONAL("a", ENUM("\"X\",\"Y\""))), RECORD(OPTIONAL("a", ENUM("\"Y\",\"X\""))),
     MR_EXISTS, "the same inside a union"},
    {RECORD(FIELD("a", FIXED("16"))), RECORD(FIELD("a", FIXED("8"))), MR_EXISTS, "another size"},
    {RECORD(FIELD("a", ITEMS(FIELD("x", "\"int\"")))),
     RECORD(FIELD("a", ITEMS(FIELD("x", "\"int\"") "," OPTIONAL("y", "\"int\"")))), MR_OK,
     "items gained a field with a default"},
    {RECORD(FIELD("a", ITEMS(FIELD("x", "\"int\"")))),
     RECORD(FIELD("a", ITEMS(FIELD("x", "\"string\"")))), MR_EXISTS,
     "avro-c alone follows a null pointer"},
    {RECORD(OPTIONAL("a", "\"int\"")), RECORD(FIELD("a", "\"int\"")), MR_EXISTS,
     "no longer optional; avro-c alone reads until a null comes"},
    {RECORD(FIELD("a", ITEMS(FIELD("x", "\"int\"")))),
     RECORD(FIELD("a", ITEMS(FIELD("x", "\"int\"") "," FIELD("y", "\"int\"")))), MR_EXISTS,
     "items gained a field without one"},
    {RECORD(FIELD("a", ITEMS(FIELD("x", ENUM("\"X\",\"Y\""))))),
     RECORD(FIELD("a", ITEMS(FIELD("x", ENUM("\"Y\",\"X\""))))), MR_EXISTS, "an enum inside items"},
    {RECORD(FIELD("b", FIXED("16"))), RECORD(OPTIONAL("a", FIXED("16")) "," FIELD("b", "\"F\"")),
     MR_OK, "the added field defines a type that a field which stays uses"},
    {RECORD(FIELD("b", ITEMS(FIELD("x", "\"int\"")))),
     RECORD("{\"name\":\"a\",\"type\":" ITEMS(
         FIELD("x", "\"int\"")) ",\"default\":[]}"
                                "," FIELD("b", "{\"type\":\"array\",\"items\":\"I\"}")),
     MR_OK, "the same with a record inside arrays"},
    {RECORD(FIELD("a", TIME("millis"))), RECORD(FIELD("a", TIME("micros"))), MR_EXISTS,
     "milliseconds read as microseconds"},
    {RECORD(FIELD("a", "\"long\"")), RECORD(FIELD("a", TIME("micros"))), MR_OK,
     "a writer that says nothing is believed"},
    {RECORD(OPTIONAL("a", DECIMAL("8"))), RECORD(OPTIONAL("a", DECIMAL("18"))), MR_EXISTS,
     "amounts would be off by 10^10"},
    {RECORD(FIELD("b", DECIMAL("8")) "," FIELD("a", "\"D\"")), RECORD(FIELD("a", DECIMAL("18"))),
     MR_EXISTS, "the same behind a name"},
    {RECORD(FIELD("a", ITEMS(FIELD("x", DECIMAL("8"))))),
     RECORD(FIELD("a", ITEMS(FIELD("x", DECIMAL("18"))))), MR_EXISTS, "the same inside items"},
    {"\"string\"", "\"string\"", MR_OK, "no record at all"},
    {"\"string\"", "\"long\"", MR_EXISTS, "no record, another type"},
    {"{\"type\":\"record\"}", RECORD(FIELD("a", "\"int\"")), MR_CONFIG, "the writer is no schema"},
    {RECORD(FIELD("a", "\"int\"")), "[", MR_CONFIG, "the reader is not even JSON"},
};

START_TEST(a_reader_is_compatible_by_rule)
{
    const struct compat_case *c = &CASES[_i];
    struct mr_err err = {0};
    const enum mr_status got = mr_compat_check(c->writer, c->reader, &err);

    ck_assert_msg(got == c->want, "%s: %s, not %s (%s)", c->why, mr_status_name(got),
                  mr_status_name(c->want), err.text);
    ck_assert(got == MR_OK || err.text[0] != '\0');
}
END_TEST

/* What breaks is named. */
static const struct {
    const char *writer;
    const char *reader;
    const char *words;
} NAMED[] = {
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")),
     "field b of R has no default and the writer lacks it"},
    {RECORD(FIELD("a", "\"long\"")), RECORD(FIELD("a", "\"int\"")),
     "field a: the writer's long is not the reader's int"},
    {RECORD(OPTIONAL("a", "\"int\"")), RECORD(FIELD("a", "\"int\"")),
     "field a: the writer's null is not the reader's int"},
    {RECORD(FIELD("a", ITEMS(FIELD("x", "\"int\"")))),
     RECORD(FIELD("a", ITEMS(FIELD("x", "\"string\"")))),
     "field a.x: the writer's int is not the reader's string"},
    {RECORD(FIELD("a", FIXED("16"))), RECORD(FIELD("a", FIXED("8"))),
     "field a: the writer's F has another size"},
    {RECORD(FIELD("a", ENUM("\"X\",\"Y\""))), RECORD(FIELD("a", ENUM("\"X\""))),
     "field a: enum E lacks Y, which is already in use"},
    {"\"string\"", RECORD(FIELD("a", "\"int\"")),
     "the schema: the writer's string is not the reader's R"},
};

START_TEST(what_breaks_is_named)
{
    struct mr_err err = {0};

    ck_assert_int_eq(mr_compat_check(NAMED[_i].writer, NAMED[_i].reader, &err), MR_EXISTS);
    ck_assert_str_eq(err.text, NAMED[_i].words);
}
END_TEST

START_TEST(every_schema_can_follow_itself)
{
    struct mr_err err = {0};

    ck_assert_msg(mr_compat_check(oms_schemas[_i]->json, oms_schemas[_i]->json, &err) == MR_OK,
                  "%s: %s", oms_schemas[_i]->name, err.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compat");
    TCase *tcase = tcase_create("rules");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, a_reader_is_compatible_by_rule, 0, (int)MR_COUNT(CASES));
    tcase_add_loop_test(tcase, what_breaks_is_named, 0, (int)MR_COUNT(NAMED));
    tcase_add_loop_test(tcase, every_schema_can_follow_itself, 0, (int)oms_schema_count);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
