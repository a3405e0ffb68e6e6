/*
 * Goal:   a request passes once per window; its key means the same request or is a conflict.
 * Method: tables of second requests against a first one; a reference set for long random runs.
 */
#include "account_fixture.h"
#include "avro/dedupe_entry.h"
#include "avro/risk_event.h"
#include "dedupe/dedupe.h"
#include "domain/codes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct mr_driver *driver;

static void setup(void)
{
    driver = mr_driver_create(&dedupe_stage, NULL, 0);
}

static void teardown(void)
{
    mr_driver_destroy(&driver);
}

static void use_window(const char *window)
{
    const struct mr_driver_setting setting = {.name = "window", .text = window};

    mr_driver_destroy(&driver);
    driver = mr_driver_create(&dedupe_stage, &setting, 1);
}

static struct oms_order_command keyed(const char *order_id, const char *user, const char *key)
{
    struct oms_order_command order = fixture_limit(order_id, user, OMS_SIDE_BUY, "1", "100");

    order.idempotency_key = s(key);
    order.has_idempotency_key = true;
    return order;
}

static void push(const struct oms_order_command *order)
{
    ck_assert_int_eq(mr_driver_push(driver, "orders", order->user_id, order), MR_OK);
}

enum verdict { PASSES, DUPLICATE, CONFLICT };

enum second {
    SAME,
    OTHER_USER,
    OTHER_KEY,
    OTHER_ACTION,
    OTHER_PRICE,
    OTHER_QTY,
    OTHER_SIDE,
    OTHER_ORDER_ID,
    OTHER_TRACE,
    CLIENT_ID_AS_KEY,
    EARLIER,
    JUST_INSIDE,
    JUST_OUTSIDE,
    OUTSIDE_AND_OTHER,
};

static const struct second_case {
    const char *why;
    enum second second;
    enum verdict verdict;
} second_cases[] = {
    {"the same bytes again", SAME, DUPLICATE},
    {"a key belongs to its user", OTHER_USER, PASSES},
    {"another key is another request", OTHER_KEY, PASSES},
    {"a key belongs to its operation", OTHER_ACTION, PASSES},
    {"another price is another content", OTHER_PRICE, CONFLICT},
    {"another quantity is another content", OTHER_QTY, CONFLICT},
    {"another side is another content", OTHER_SIDE, CONFLICT},
    {"a retry has a new order id", OTHER_ORDER_ID, DUPLICATE},
    {"a retry has its own trace", OTHER_TRACE, DUPLICATE},
    {"without a key the client id is the key", CLIENT_ID_AS_KEY, CONFLICT},
    {"an older clock is a duplicate too", EARLIER, DUPLICATE},
    {"the last microsecond of the window", JUST_INSIDE, DUPLICATE},
    {"the first microsecond after it", JUST_OUTSIDE, PASSES},
    {"after the window other content is free", OUTSIDE_AND_OTHER, PASSES},
};

static void change(struct oms_order_command *order, enum second second)
{
    if (second == OTHER_USER) {
        order->user_id = s("u2");
    } else if (second == OTHER_KEY) {
        order->idempotency_key = s("k2");
    } else if (second == OTHER_ACTION) {
        order->action = OMS_ACTION_CANCEL;
    } else if (second == OTHER_PRICE || second == OUTSIDE_AND_OTHER) {
        order->price = amount("100.01");
    } else if (second == OTHER_QTY) {
        order->qty = amount("2");
    } else if (second == OTHER_SIDE) {
        order->side = OMS_SIDE_SELL;
    } else if (second == OTHER_ORDER_ID) {
        order->order_id = s("o2");
    } else if (second == OTHER_TRACE) {
        order->trace_id = s("trace-2");
    } else if (second == CLIENT_ID_AS_KEY) {
        order->has_idempotency_key = false;
        order->idempotency_key = s("");
        order->client_order_id = s("k1");
        order->has_client_order_id = true;
    }
    if (second == EARLIER) {
        order->ts_us -= MR_DAY_US;
    } else if (second == JUST_INSIDE) {
        order->ts_us += MR_DAY_US - 1;
    } else if (second == JUST_OUTSIDE || second == OUTSIDE_AND_OTHER) {
        order->ts_us += MR_DAY_US;
    }
}

START_TEST(the_second_request_passes_or_does_not)
{
    const struct second_case *c = &second_cases[_i];
    const struct oms_order_command first = keyed("o1", "u1", "k1");
    struct oms_order_command second = first;
    const struct oms_risk_event *event = NULL;

    second.event_id = s("e2");
    change(&second, c->second);
    push(&first);
    push(&second);
    ck_assert_msg(mr_driver_emit_count(driver, "unique") == (c->verdict == PASSES ? 2 : 1), "%s",
                  c->why);
    event = mr_driver_emit_last(driver, "events");
    ck_assert_msg((event == NULL) == (c->verdict == PASSES), "%s", c->why);
    if (event != NULL) {
        ck_assert_msg(event->type == (c->verdict == DUPLICATE
                                          ? OMS_RISK_EVENT_TYPE_DUPLICATE
                                          : OMS_RISK_EVENT_TYPE_DUPLICATE_CONFLICT),
                      "%s", c->why);
        ck_assert_int_eq(event->code, c->verdict == DUPLICATE ? 0 : CODE_KEY_REUSED);
        /* The event names the new command and the order that stands. */
        ck_assert(mr_slice_equal(event->command_id, s("e2")));
        ck_assert(mr_slice_equal(event->order_id, s("o1")));
        ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "events", 0), s("u1")));
        ck_assert_int_eq(event->ts_us, second.ts_us);
    }
}
END_TEST

START_TEST(what_passes_carries_its_fingerprint)
{
    const struct oms_order_command order = keyed("o1", "u1", "k1");
    static const uint8_t zero[32];
    const struct oms_order_command *out = NULL;

    push(&order);
    out = mr_driver_emit_last(driver, "unique");
    ck_assert_ptr_nonnull(out);
    ck_assert(out->has_fingerprint);
    ck_assert_int_ne(memcmp(out->fingerprint, zero, sizeof(zero)), 0);
    ck_assert(out->qty == order.qty && out->price == order.price);
    ck_assert(mr_slice_equal(out->order_id, order.order_id));
    ck_assert(mr_slice_equal(mr_driver_emit_key(driver, "unique", 0), s("u1")));
}
END_TEST

START_TEST(the_window_is_fixed_from_first_sight)
{
    struct oms_order_command order = keyed("o1", "u1", "k1");
    const int64_t first_us = order.ts_us;

    push(&order);
    order.ts_us = first_us + MR_DAY_US - 1;
    push(&order);
    order.ts_us = first_us + MR_DAY_US;
    push(&order);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "unique"), 2);
    /* And the second window starts there. */
    order.ts_us = first_us + 2 * MR_DAY_US - 1;
    push(&order);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "unique"), 2);
    ck_assert_uint_eq(mr_driver_counter(driver, "duplicates_total"), 2);
}
END_TEST

START_TEST(a_key_without_key_or_client_id_is_the_order_id)
{
    struct oms_order_command order = fixture_limit("o1", "u1", OMS_SIDE_BUY, "1", "100");

    push(&order);
    push(&order);
    order.order_id = s("o2");
    push(&order);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "unique"), 2);
    ck_assert_uint_eq(mr_driver_counter(driver, "duplicates_total"), 1);
}
END_TEST

START_TEST(a_key_that_does_not_fit_is_malformed)
{
    char text[600];
    struct oms_order_command order = keyed("o1", "u1", "k1");

    memset(text, 'k', sizeof(text));
    order.idempotency_key = mr_slice_of(text, sizeof(text));
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_MALFORMED);
    order = keyed("o1", "", "k1");
    ck_assert_int_eq(mr_driver_push(driver, "orders", s(""), &order), MR_MALFORMED);
    ck_assert_uint_eq(mr_driver_store_count(driver, "seen"), 0);
    /* 504 bytes of a store key, of which user, action and the zeros of the texts take twelve. */
    order = keyed("o1", "u1", "k1");
    order.idempotency_key = mr_slice_of(text, 493);
    ck_assert_int_eq(mr_driver_push(driver, "orders", s("u1"), &order), MR_MALFORMED);
    order.idempotency_key = mr_slice_of(text, 492);
    push(&order);
}
END_TEST

START_TEST(a_fault_anywhere_leaves_no_trace)
{
    static const enum mr_driver_fault faults[] = {MR_DRIVER_FAULT_GET, MR_DRIVER_FAULT_PUT,
                                                  MR_DRIVER_FAULT_EMIT,
                                                  MR_DRIVER_FAULT_EMIT_POISON};
    const struct oms_order_command order = keyed("o1", "u1", "k1");
    const uint64_t empty = mr_driver_state_digest(driver);

    for (size_t i = 0; i < MR_COUNT(faults); i++) {
        mr_driver_fail(driver, faults[i], 1);
        ck_assert_int_ne(mr_driver_push(driver, "orders", s("u1"), &order), MR_OK);
        ck_assert_uint_eq(mr_driver_state_digest(driver), empty);
    }
    push(&order);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "unique"), 1);
    ck_assert_uint_eq(mr_driver_emit_count(driver, "events"), 0);
}
END_TEST

#define MODEL_KEYS 40

/* Random keys and times against one array of first sights. */
START_TEST(random_requests_meet_the_model)
{
    int64_t first_us[MODEL_KEYS];
    char ids[MODEL_KEYS][8];
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)_i;
    int64_t now_us = FIXTURE_TS_US;
    size_t passed = 0;

    use_window("1s");
    for (int i = 0; i < MODEL_KEYS; i++) {
        first_us[i] = INT64_MIN;
        (void)snprintf(ids[i], sizeof(ids[i]), "k%d", i);
    }
    for (int i = 0; i < 3000; i++) {
        struct oms_order_command order;
        size_t k = 0;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        k = (size_t)((random >> 33) % MODEL_KEYS);
        now_us += (int64_t)((random >> 50) % 40) * MR_MS_US;
        order = keyed("o1", "u1", ids[k]);
        order.ts_us = now_us;
        if (first_us[k] == INT64_MIN || now_us - first_us[k] >= MR_SECOND_US) {
            first_us[k] = now_us;
            passed++;
        }
        push(&order);
        ck_assert_uint_eq(mr_driver_emit_count(driver, "unique"), passed);
        if (i % 97 == 0) {
            ck_assert_int_eq(mr_driver_commit(driver), MR_OK);
            mr_driver_restart(driver);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dedupe");
    TCase *tcase = tcase_create("dedupe");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_second_request_passes_or_does_not, 0,
                        (int)MR_COUNT(second_cases));
    tcase_add_test(tcase, what_passes_carries_its_fingerprint);
    tcase_add_test(tcase, the_window_is_fixed_from_first_sight);
    tcase_add_test(tcase, a_key_without_key_or_client_id_is_the_order_id);
    tcase_add_test(tcase, a_key_that_does_not_fit_is_malformed);
    tcase_add_test(tcase, a_fault_anywhere_leaves_no_trace);
    tcase_add_loop_test(tcase, random_requests_meet_the_model, 0, 5);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
