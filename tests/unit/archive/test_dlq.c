/*
 * Goal:   dead letters are shown with what is wrong and where; sent back they are what they were,
 * each once however often and however badly it goes; what is chosen is what is meant. Method:
 * letters put into a dead-letter topic of the log in memory as the runtime writes them; each commit
 * of a replay failing in turn; a naive set of offsets as the oracle of the marks.
 */
#include "archive_world.h"
#include "avro/order_command.h"
#include "dlq_list.h"
#include "dlq_place.h"
#include "dlq_replay.h"
#include "dlq_show.h"
#include "millrace/arena.h"
#include "millrace/log_open.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#define DLQ "shop.dedupe.dlq"

static struct mr_err err;
static struct dlq_replay_options options;
static struct dlq_replay_result result;
static int64_t told;

static void set_up(void)
{
    world_set_up();
    options = (struct dlq_replay_options){.filter = {.stage = "", .code = ""}, .to = ""};
    ck_assert_int_eq(dlq_find(world.topology, "dedupe", &options.letters, &err), MR_OK);
}

/* A letter of the record at source_offset of a topic, as dead_letter.c writes it. */
static void send_letter(const char *topic, int32_t partition, int64_t source_offset,
                        const char *code, struct mr_slice value)
{
    char partition_text[16];
    char offset_text[24];
    const struct mr_header headers[] = {
        {"trace", mr_slice_str("abc")},
        {DLQ_REPLAY_HEADER, mr_slice_str("of an earlier replay")},
        {"millrace.source.topic", mr_slice_str(topic)},
        {"millrace.source.partition",
         mr_slice_of(partition_text, (size_t)snprintf(partition_text, sizeof partition_text,
                                                      "%" PRId32, partition))},
        {"millrace.source.offset",
         mr_slice_of(offset_text,
                     (size_t)snprintf(offset_text, sizeof offset_text, "%" PRId64, source_offset))},
        {"millrace.source.timestamp-ms", mr_slice_str("77")},
        {"millrace.stage", mr_slice_str("dedupe")},
        {"millrace.error", mr_slice_str(code)},
        {"millrace.error.class", mr_slice_str("poison")},
        {"millrace.error.text", mr_slice_str("it is wrong")},
        {"millrace.value.bytes", mr_slice_str("12")},
    };

    memory_env_send(
        &world, DLQ,
        &(struct mr_outgoing){.partition = partition,
                              .timestamp_ms = 1723161255342 + source_offset,
                              .key = mr_slice_str("u1"),
                              .value = value,
                              .has_value = true,
                              .headers = headers,
                              .header_count = MR_COUNT(headers) - (value.len == 0 ? 0U : 1U)});
}

static void send_letters(int count)
{
    for (int i = 0; i < count; i++) {
        send_letter("orders", i % PARTITIONS, i, i % 2 == 0 ? "MALFORMED" : "TOO_LARGE",
                    mr_slice_str("garbage"));
    }
}

static void on_told(void *arg, const struct dlq_letter *letter, const char *topic,
                    int32_t partition)
{
    (void)arg;
    ck_assert_int_eq(letter->message->partition, partition);
    ck_assert_str_eq(topic, options.to[0] == '\0' ? "orders" : options.to);
    told++;
}

static enum mr_status replay(void)
{
    told = 0;
    return dlq_replay_run(&world.env, &options, on_told, NULL, &result, &err);
}

static void replay_ok(int64_t sent)
{
    ck_assert_msg(replay() == MR_OK, "%s", err.text);
    ck_assert_int_eq(result.sent, sent);
    ck_assert_int_eq(told, sent);
}

/* ---- replay -----------------------------------------------------------------------------------
 */

START_TEST(nothing_is_sent_without_yes)
{
    send_letters(6);
    replay_ok(6);
    ck_assert_int_eq(topic_count("orders"), 0);
    options.yes = true;
    replay_ok(6);
    ck_assert_int_eq(topic_count("orders"), 6);
}
END_TEST

START_TEST(a_record_comes_back_as_it_was)
{
    char *text;

    send_letter("orders", 2, 9, "MALFORMED", mr_slice_str("\x07z"));
    options.yes = true;
    replay_ok(1);
    text = topic_text("orders");
    /* Partition, time, key, value, own header, and the letter's coordinates; no header else. */
    ck_assert_str_eq(text, "2 1723161255351 7531 077a trace 616263 millrace.replay.of "
                           "73686f702e6465647570652e646c712f322f30\n");
    free(text);
}
END_TEST

START_TEST(a_second_replay_sends_nothing_and_again_does)
{
    send_letters(7);
    options.yes = true;
    replay_ok(7);
    replay_ok(0);
    ck_assert_int_eq(result.before, 7);
    ck_assert_int_eq(topic_count("orders"), 7);
    options.again = true;
    replay_ok(7);
    ck_assert_int_eq(topic_count("orders"), 14);
    options.again = false;
    replay_ok(0);
    send_letters(1);
    replay_ok(1);
    ck_assert_int_eq(topic_count("orders"), 15);
}
END_TEST

START_TEST(what_is_chosen_is_sent_and_the_rest_can_follow)
{
    send_letters(12);
    options.yes = true;
    ck_assert_int_eq(dlq_filter_place("1:2", &options.filter, &err), MR_OK);
    replay_ok(1);
    replay_ok(0);
    options.filter.one = false;
    options.filter.code = "TOO_LARGE";
    replay_ok(5); /* 1:2 was one of the six */
    options.filter.code = "NONE";
    replay_ok(0);
    options.filter.code = "";
    options.filter.stage = "validate";
    replay_ok(0);
    options.filter.stage = "dedupe";
    replay_ok(6);
    ck_assert_int_eq(result.before, 6);
    ck_assert_int_eq(topic_count("orders"), 12);
}
END_TEST

START_TEST(a_replay_that_was_cut_off_goes_on)
{
    static const enum mr_status statuses[] = {MR_LOG_FATAL, MR_INDETERMINATE, MR_TXN_ABORT};
    int64_t before = 0;

    options.yes = true;
    for (size_t s = 0; s < MR_COUNT(statuses); s++) {
        for (int done = 0; done < 2; done++) {
            enum mr_status status;

            send_letters(5);
            options.again = done == 1 && s == 1; /* its unmarking is what fails */
            mr_log_memory_fail(world.env.log, MR_LOG_CALL_COMMIT, 1, statuses[s], done == 1);
            status = replay();
            mr_log_memory_calm(world.env.log);
            ck_assert_int_eq(status, s == 0 ? MR_LOG_FATAL : MR_OK);
            before += options.again ? before + 5 : 5;
            options.again = false;
            ck_assert_int_eq(replay(), MR_OK);
            ck_assert_int_eq(topic_count("orders"), before);
        }
    }
}
END_TEST

START_TEST(what_cannot_be_sent_ends_it_before_anything_is)
{
    options.yes = true;
    send_letters(4);
    send_letter("orders", 0, 5, "TOO_LARGE", mr_slice_of(NULL, 0)); /* left out, and gone */
    ck_assert_int_eq(replay(), MR_CONFIG);
    ck_assert_msg(strstr(err.text, "left out") != NULL, "%s", err.text);
    ck_assert_int_eq(topic_count("orders"), 0);
    send_letter("nowhere", 1, 5, "TOO_LARGE", mr_slice_str("x"));
    options.filter.code = "TOO_LARGE";
    ck_assert_int_eq(replay(), MR_CONFIG);
    options.filter.code = "MALFORMED";
    replay_ok(2);
    memory_env_send(&world, DLQ, &(struct mr_outgoing){.partition = 2, .has_value = true});
    options.filter.code = "";
    ck_assert_int_eq(dlq_filter_place("2:1", &options.filter, &err), MR_OK);
    ck_assert_int_eq(replay(), MR_CONFIG);
    ck_assert_msg(strstr(err.text, "--to") != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_value_that_was_left_out_is_taken_from_its_source)
{
    char *text;

    memory_env_send(&world, "orders", &(struct mr_outgoing){.partition = 1, .has_value = true});
    memory_env_send(
        &world, "orders",
        &(struct mr_outgoing){.partition = 1, .value = mr_slice_str("long"), .has_value = true});
    send_letter("orders", 1, 1, "TOO_LARGE", mr_slice_of(NULL, 0));
    options.yes = true;
    options.to = "unique";
    told = 0;
    ck_assert_msg(dlq_replay_run(&world.env, &options, (dlq_told *)on_told, NULL, &result, &err) ==
                      MR_OK,
                  "%s", err.text);
    text = topic_text("unique");
    ck_assert_msg(strstr(text, " 6c6f6e67 ") != NULL, "%s", text);
    free(text);
}
END_TEST

START_TEST(an_edited_value_is_encoded_as_the_topics)
{
    send_letter("prices", 1, 0, "MALFORMED", mr_slice_str("garbage"));
    options.to = "prices";
    options.yes = true;
    options.edit =
        "{\"symbol\":\"BTCUSDT\",\"ts\":\"2024-08-08T00:00:00Z\",\"kind\":\"LAST\",\"price\":true}";
    ck_assert_int_eq(replay(), MR_CONFIG);
    ck_assert_msg(strstr(err.text, "price") != NULL, "%s", err.text);
    options.edit = "{\"symbol\":\"BTCUSDT\",\"ts\":\"2024-08-08T00:00:00Z\",\"kind\":\"LAST\","
                   "\"price\":\"60000.5\"}";
    replay_ok(1);
    ck_assert_int_eq(topic_count("prices"), 1);
    send_letter("prices", 1, 1, "MALFORMED", mr_slice_str("garbage"));
    send_letter("prices", 1, 2, "MALFORMED", mr_slice_str("garbage"));
    ck_assert_int_eq(replay(), MR_CONFIG);
    ck_assert_msg(strstr(err.text, "--edit is for one") != NULL, "%s", err.text);
}
END_TEST

START_TEST(what_cannot_be_noted_is_not_sent)
{
    options.yes = true;
    for (int i = 0; i < 2500; i++) {
        send_letter("orders", 0, i, i % 2 == 0 ? "MALFORMED" : "TOO_LARGE", mr_slice_str("x"));
    }
    options.filter.code = "TOO_LARGE"; /* every second one: as many ranges */
    ck_assert_int_eq(replay(), MR_RESOURCE);
    ck_assert_int_eq(topic_count("orders"), 0);
    options.filter.code = "";
    replay_ok(2500); /* in two transactions */
    ck_assert_int_eq(topic_count("orders"), 2500);
}
END_TEST

/* ---- list, show -------------------------------------------------------------------------------
 */

START_TEST(a_topic_is_summed_up)
{
    struct dlq_summary *summary = mr_xcalloc(1, sizeof *summary);
    struct mr_buffer text = MR_BUFFER_EMPTY;

    send_letters(7);
    memory_env_send(&world, DLQ, &(struct mr_outgoing){.timestamp_ms = 5, .has_value = true});
    options.yes = true;
    options.filter.code = "TOO_LARGE";
    replay_ok(3);
    ck_assert_int_eq(dlq_summarize(&world.env, options.letters, summary, &err), MR_OK);
    ck_assert_int_eq(summary->count, 8);
    ck_assert_int_eq(summary->replayed, 3);
    ck_assert_int_eq(summary->oldest_ms, 5);
    ck_assert_int_eq(summary->newest_ms, 1723161255348);
    ck_assert_uint_eq(summary->kind_count, 3);
    dlq_summary_text(summary, &text);
    mr_buffer_append(&text, "", 1);
    ck_assert_msg(strstr((char *)text.data, "MALFORMED        dedupe           4") != NULL, "%s",
                  (char *)text.data);
    mr_buffer_fini(&text);
    free(summary);
}
END_TEST

static enum mr_status show(void *arg, const struct dlq_letter *letter, struct mr_err *e)
{
    return dlq_show_text(&world.env, letter, arg, e);
}

START_TEST(a_letter_is_shown_with_the_place_that_is_wrong)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct mr_binding binding;
    const struct oms_price_tick tick = {.symbol = mr_slice_str("BTC"), .ts_us = 1, .price = 5};
    uint8_t bytes[256];
    size_t len;

    ck_assert_int_eq(
        mr_codec_bind(world.env.codec, &oms_price_tick_schema, "prices-value", &binding, &err),
        MR_OK);
    len = mr_codec_encode(&binding, &tick, bytes);
    send_letter("prices", 0, 3, "MALFORMED", mr_slice_of(bytes, len));
    send_letter("prices", 0, 4, "MALFORMED", mr_slice_of(bytes, 10)); /* inside ts and price */
    send_letter("prices", 0, 5, "MALFORMED", mr_slice_str("\x07 text"));
    ck_assert_int_eq(dlq_each(&world.env, DLQ, show, &text, &err), MR_OK);
    mr_buffer_append(&text, "", 1);
    ck_assert_msg(strstr((char *)text.data, "  source   prices 0:3\n") != NULL, "%s",
                  (char *)text.data);
    ck_assert_ptr_nonnull(strstr((char *)text.data, "\"symbol\":\"BTC\""));
    ck_assert_ptr_nonnull(strstr((char *)text.data, "^^ byte 10: PriceTick.kind: the record ends"));
    ck_assert_ptr_nonnull(strstr((char *)text.data, "^^ byte 0: first byte is 0x07"));
    ck_assert_ptr_nonnull(strstr((char *)text.data, "  header   trace: abc\n"));
    mr_buffer_fini(&text);
}
END_TEST

/* The decoder says which field is wrong; the place must be that field's, for every prefix. */
START_TEST(the_place_is_that_of_the_field_the_decoder_names)
{
    const struct oms_order_command order = {.event_id = mr_slice_str("e"),
                                            .order_id = mr_slice_str("o"),
                                            .user_id = mr_slice_str("u"),
                                            .symbol = mr_slice_str("BTCUSDT")};
    uint8_t bytes[1024] = {0};
    const size_t len = 5 + oms_order_command_schema.encode(&order, bytes + 5);
    struct oms_order_command got;
    const char *field = "x";
    size_t before = 5;

    ck_assert_uint_eq(dlq_place_find(&oms_order_command_schema, mr_slice_of(bytes, len), &field),
                      len);
    ck_assert_str_eq(field, "");
    for (size_t cut = 5; cut < len; cut++) {
        const size_t place =
            dlq_place_find(&oms_order_command_schema, mr_slice_of(bytes, cut), &field);

        ck_assert_int_eq(
            oms_order_command_schema.decode(mr_slice_of(bytes + 5, cut - 5), NULL, &got, &err),
            MR_MALFORMED);
        ck_assert_msg(strstr(err.text, field) != NULL && field[0] != '\0', "%s: %s", field,
                      err.text);
        ck_assert_uint_ge(place, before);
        ck_assert_uint_le(place, cut);
        before = place;
    }
}
END_TEST

/* ---- marks ------------------------------------------------------------------------------------
 */

START_TEST(marks_are_a_set_of_offsets)
{
    struct dlq_marks marks = {0};
    bool oracle[200] = {false};
    uint32_t random = 12345;

    for (int step = 0; step < 2000; step++) {
        struct dlq_marks read = {0};
        struct mr_buffer text = MR_BUFFER_EMPTY;
        int64_t offset = 0;
        int64_t from;
        int64_t to;
        int wrong = 0;

        random = random * 1664525 + 1013904223;
        from = (int64_t)(random >> 8) % 190;
        to = from + 1 + (int64_t)(random >> 20) % 9;
        if (random >> 31 == 0) {
            dlq_marks_add(&marks, from, to);
        } else {
            dlq_marks_remove(&marks, from, to);
        }
        for (int64_t i = from; i < to; i++) {
            oracle[i] = random >> 31 == 0;
        }
        ck_assert_int_eq(dlq_marks_write(&marks, &offset, &text, &err), MR_OK);
        ck_assert_int_eq(dlq_marks_read(&read, offset, mr_buffer_slice(&text), &err), MR_OK);
        for (int64_t i = 0; i < 200; i++) {
            wrong +=
                dlq_marks_have(&marks, i) != oracle[i] || dlq_marks_have(&read, i) != oracle[i];
        }
        ck_assert_int_eq(wrong, 0);
        for (size_t i = 1; i < marks.count; i++) { /* neighbours are one */
            wrong += marks.ranges[i - 1].to >= marks.ranges[i].from;
        }
        ck_assert_int_eq(wrong, 0);
        dlq_marks_fini(&read);
        mr_buffer_fini(&text);
    }
    dlq_marks_fini(&marks);
}
END_TEST

START_TEST(a_text_of_somebody_else_is_no_marks)
{
    static const char *const texts[] = {"a",
                                        "1,",
                                        ",1",
                                        "1-",
                                        "-1",
                                        "3-1",
                                        "1 2",
                                        "1,,2",
                                        "99999999999999999999",
                                        "9223372036854775807"};
    struct dlq_marks marks = {0};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    int64_t offset = 0;

    for (size_t i = 0; i < MR_COUNT(texts); i++) {
        ck_assert_msg(dlq_marks_read(&marks, 0, mr_slice_str(texts[i]), &err) == MR_CORRUPT, "%s",
                      texts[i]);
    }
    marks.count = 0;
    for (int64_t i = 0; i < 2000; i += 2) {
        dlq_marks_add(&marks, i, i + 1);
    }
    ck_assert_int_eq(dlq_marks_write(&marks, &offset, &text, &err), MR_RESOURCE);
    dlq_marks_fini(&marks);
    mr_buffer_fini(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dlq");
    TCase *letters = tcase_create("letters");
    TCase *parts = tcase_create("parts");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(letters, 30);
    tcase_add_checked_fixture(letters, set_up, world_tear_down);
    tcase_add_test(letters, nothing_is_sent_without_yes);
    tcase_add_test(letters, a_record_comes_back_as_it_was);
    tcase_add_test(letters, a_second_replay_sends_nothing_and_again_does);
    tcase_add_test(letters, what_is_chosen_is_sent_and_the_rest_can_follow);
    tcase_add_test(letters, a_replay_that_was_cut_off_goes_on);
    tcase_add_test(letters, what_cannot_be_sent_ends_it_before_anything_is);
    tcase_add_test(letters, a_value_that_was_left_out_is_taken_from_its_source);
    tcase_add_test(letters, an_edited_value_is_encoded_as_the_topics);
    tcase_add_test(letters, what_cannot_be_noted_is_not_sent);
    tcase_add_test(letters, a_topic_is_summed_up);
    tcase_add_test(letters, a_letter_is_shown_with_the_place_that_is_wrong);
    tcase_add_test(parts, the_place_is_that_of_the_field_the_decoder_names);
    tcase_add_test(parts, marks_are_a_set_of_offsets);
    tcase_add_test(parts, a_text_of_somebody_else_is_no_marks);
    suite_add_tcase(suite, letters);
    suite_add_tcase(suite, parts);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
