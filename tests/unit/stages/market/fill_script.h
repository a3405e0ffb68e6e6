/*
 * fill_script.h -- a scenario for fill in one line, and all that came of it in another.
 *
 * Steps, separated by ';'. Who sends what: ID USER SIDE QTY@PRICE and any of the words behind it.
 *   "a u1 B 1@100"            LIMIT GTC        "ioc" "fok" "gtd:5" (expires at second 5) "post"
 *   "a u1 B 1@110 mkt"        MARKET, collar 110; "$500@110 mkt" an amount of 500 in quote
 *   "a u1 B 1@110 stop:105"   STOP_LIMIT; with "mkt" a STOP whose collar is 110
 *   "dec" "maker" "both" "none"  the self-trade mode; "short:N" reserves N atoms too little
 *   "amend ID USER QTY@PRICE" "amend ID USER QTY" "amend ID USER @PRICE", reserving risk's formula
 *   "cancel ID USER" "all USER" "all USER RISK" "state HALT" "range 0.9 1.1" "at 5" (seconds)
 *   "tick 5" (the timer, at second 5) "commit" "restart"
 * What came: a+ accepted, a^ triggered, a=2@101 replaced, m>t:1@100 a trade, a~1 prevented (sum),
 * a-IOC canceled, a!4101 refused. A command that is none of an order is called x1, x2, ...
 */
#ifndef MILLRACE_TESTS_FILL_SCRIPT_H
#define MILLRACE_TESTS_FILL_SCRIPT_H

#include "fill/engine.h"
#include "fill_fixture.h"

#define SCRIPT_WORDS 12
#define SCRIPT_WORD_BYTES 32

struct script {
    struct mr_driver *driver;
    struct oms_instrument instrument;
    int64_t now_us;
    int commands;
    char id[SCRIPT_WORD_BYTES];
};

struct words {
    char text[SCRIPT_WORDS][SCRIPT_WORD_BYTES];
    size_t count;
};

static inline void words_of(const char *step, size_t bytes, struct words *words)
{
    words->count = 0;
    for (size_t at = 0; at < bytes;) {
        size_t len = 0;

        while (at < bytes && step[at] == ' ') {
            at++;
        }
        while (at + len < bytes && step[at + len] != ' ') {
            len++;
        }
        if (len > 0) {
            ck_assert_uint_lt(words->count, SCRIPT_WORDS);
            ck_assert_uint_lt(len, SCRIPT_WORD_BYTES);
            memcpy(words->text[words->count], step + at, len);
            words->text[words->count++][len] = '\0';
        }
        at += len;
    }
}

static inline enum mr_status script_list(struct script *script)
{
    script->instrument.ts_us = script->now_us;
    return mr_driver_push(script->driver, "instruments", script->instrument.symbol,
                          &script->instrument);
}

static inline void script_open(struct script *script)
{
    *script = (struct script){.driver = mr_driver_create(&fill_stage, NULL, 0),
                              .instrument = instrument_of(SYMBOL, OMS_SYMBOL_STATE_TRADING),
                              .now_us = START_US};
    script->instrument.lot_size = dec("0.1");
    ck_assert_int_eq(script_list(script), MR_OK);
}

static inline void script_close(struct script *script)
{
    mr_driver_destroy(&script->driver);
}

/* "1@100", "1", "@100" or "$500@110". */
static inline void amounts_of(const char *word, struct oms_order_command *order)
{
    const char *at = strchr(word, '@');
    char number[SCRIPT_WORD_BYTES] = {0};
    const size_t len = at == NULL ? strlen(word) : (size_t)(at - word);

    memcpy(number, word, len);
    order->has_price = at != NULL;
    order->price = at == NULL ? 0 : dec(at + 1);
    order->has_quote_qty = number[0] == '$';
    order->has_qty = len > 0 && !order->has_quote_qty;
    order->quote_qty = order->has_quote_qty ? dec(number + 1) : 0;
    order->qty = order->has_qty ? dec(number) : 0;
}

static inline int64_t seconds(const char *text)
{
    return START_US + strtoll(text, NULL, 10) * MR_SECOND_US;
}

static inline void option_of(const char *word, struct oms_order_command *order)
{
    static const struct {
        const char *word;
        enum oms_time_in_force tif;
    } tifs[] = {{"ioc", OMS_TIME_IN_FORCE_IOC}, {"fok", OMS_TIME_IN_FORCE_FOK}};
    static const struct {
        const char *word;
        enum oms_stp_mode mode;
    } modes[] = {{"maker", OMS_STP_MODE_EXPIRE_MAKER},
                 {"both", OMS_STP_MODE_EXPIRE_BOTH},
                 {"dec", OMS_STP_MODE_DECREMENT},
                 {"none", OMS_STP_MODE_NONE}};
    bool known = strncmp(word, "short:", 6) == 0;

    for (size_t i = 0; i < MR_COUNT(tifs); i++) {
        if (strcmp(word, tifs[i].word) == 0) {
            order->tif = tifs[i].tif;
            known = true;
        }
    }
    for (size_t i = 0; i < MR_COUNT(modes); i++) {
        if (strcmp(word, modes[i].word) == 0) {
            order->stp_mode = modes[i].mode;
            known = true;
        }
    }
    if (strncmp(word, "gtd:", 4) == 0) {
        order->tif = OMS_TIME_IN_FORCE_GTD;
        order->has_expire_ts_us = true;
        order->expire_ts_us = seconds(word + 4);
    } else if (strcmp(word, "post") == 0) {
        order->post_only = true;
    } else if (strncmp(word, "stop:", 5) == 0) {
        order->has_stop_price = true;
        order->stop_price = dec(word + 5);
    } else if (strcmp(word, "mkt") == 0) {
        order->ord_type = OMS_ORDER_TYPE_MARKET;
    } else {
        ck_assert_msg(known, "unknown word %s", word);
    }
}

/* What risk would add: rates, collar, hold. */
static inline void script_approve(struct oms_order_command *order)
{
    const bool market = order->ord_type == OMS_ORDER_TYPE_MARKET;
    struct hold_order hold = {.side = (enum ord_side)order->side,
                              .price = order->price,
                              .taker_rate = dec("0.002"),
                              .by_quote = true,
                              .amount = order->quote_qty};

    order->has_fee_maker = order->has_fee_taker = true;
    order->fee_maker = dec("0.001");
    order->fee_taker = dec("0.002");
    if (market) {
        order->has_collar_px = true;
        order->collar_px = order->price;
        order->has_price = false;
    }
    if (order->has_stop_price) {
        order->ord_type = market ? OMS_ORDER_TYPE_STOP : OMS_ORDER_TYPE_STOP_LIMIT;
    } else if (market) {
        order->tif = OMS_TIME_IN_FORCE_IOC;
    }
    order->has_reserved = order->has_quote_qty ? hold_by_quote(&hold, dec("0.1"), &order->reserved)
                                               : hold_initial(hold.side, hold.price, order->qty,
                                                              hold.taker_rate, &order->reserved);
}

static inline struct market *script_market(const struct script *script)
{
    struct fill *fill = mr_driver_self(script->driver);

    return fill->markets[0];
}

static inline void amend_reserve(const struct script *script, struct oms_order_command *amend)
{
    const struct live *live =
        order_find(script_market(script), amend->target_order_id, amend->user_id);
    struct hold_amendment to;

    if (live == NULL) {
        return;
    }
    to.price = amend->has_price ? amend->price : live->hold.price;
    to.leaves =
        (amend->has_qty ? amend->qty : live->order_qty) - live->cum_qty - live->prevented_qty;
    amend->has_reserved = hold_amend_reserve(&live->hold, &to, &amend->reserved);
}

/* The command that a step stands for; texts point into words and script. */
static inline struct oms_order_command command_of(struct script *script, const struct words *words)
{
    const bool amend = strcmp(words->text[0], "amend") == 0;
    const bool cancel = strcmp(words->text[0], "cancel") == 0;
    const bool all = strcmp(words->text[0], "all") == 0;
    struct oms_order_command order = {.ts_us = script->now_us, .symbol = mr_slice_str(SYMBOL)};

    if (amend || cancel || all) {
        (void)snprintf(script->id, sizeof(script->id), "x%d", ++script->commands);
    } else {
        (void)snprintf(script->id, sizeof(script->id), "%s", words->text[0]);
    }
    order.event_id = order.order_id = mr_slice_str(script->id);
    order.user_id = mr_slice_str(words->text[amend || cancel ? 2 : 1]);
    if (amend || cancel) {
        order.has_target_order_id = true;
        order.target_order_id = mr_slice_str(words->text[1]);
    }
    if (all) {
        order.action = OMS_ACTION_CANCEL_ALL;
        order.has_cancel_reason = words->count > 2;
        order.cancel_reason = OMS_CANCEL_REASON_RISK;
    } else if (cancel) {
        order.action = OMS_ACTION_CANCEL;
    } else if (amend) {
        order.action = OMS_ACTION_AMEND;
        amounts_of(words->text[3], &order);
        amend_reserve(script, &order);
    } else {
        order.action = OMS_ACTION_NEW;
        order.side = words->text[2][0] == 'B' ? OMS_SIDE_BUY : OMS_SIDE_SELL;
        amounts_of(words->text[3], &order);
        for (size_t i = 4; i < words->count; i++) {
            option_of(words->text[i], &order);
        }
        script_approve(&order);
    }
    if (strncmp(words->text[words->count - 1], "short:", 6) == 0) {
        order.reserved -= strtoll(words->text[words->count - 1] + 6, NULL, 10);
    }
    return order;
}

static inline enum oms_symbol_state state_of(const char *name)
{
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(oms_symbol_state_symbols[i], name) == 0) {
            return (enum oms_symbol_state)i;
        }
    }
    ck_abort_msg("no state %s", name);
    return OMS_SYMBOL_STATE_HALT;
}

static inline enum mr_status script_step(struct script *script, const char *step, size_t bytes)
{
    struct words words;
    struct oms_order_command order;

    words_of(step, bytes, &words);
    if (words.count == 0) {
        return MR_OK;
    }
    if (strcmp(words.text[0], "at") == 0) {
        script->now_us = seconds(words.text[1]);
    } else if (strcmp(words.text[0], "tick") == 0) {
        return mr_driver_punctuate(script->driver, 0, seconds(words.text[1]));
    } else if (strcmp(words.text[0], "commit") == 0) {
        return mr_driver_commit(script->driver);
    } else if (strcmp(words.text[0], "restart") == 0) {
        ck_assert_int_eq(mr_driver_commit(script->driver), MR_OK);
        mr_driver_restart(script->driver);
    } else if (strcmp(words.text[0], "state") == 0) {
        script->instrument.state = state_of(words.text[1]);
        return script_list(script);
    } else if (strcmp(words.text[0], "range") == 0) {
        script->instrument.has_range_down = script->instrument.has_range_up = true;
        script->instrument.range_down = dec(words.text[1]);
        script->instrument.range_up = dec(words.text[2]);
        return script_list(script);
    } else {
        order = command_of(script, &words);
        return mr_driver_push(script->driver, "orders", order.symbol, &order);
    }
    return MR_OK;
}

static inline void script_play(struct script *script, const char *steps)
{
    for (const char *step = steps; *step != '\0';) {
        const size_t bytes = strcspn(step, ";");

        ck_assert_msg(script_step(script, step, bytes) == MR_OK, "%.*s: %s", (int)bytes, step,
                      mr_driver_error(script->driver));
        step += bytes + (step[bytes] == ';');
    }
}

/* One report in short; nothing for the maker's leg of a trade. */
static inline void print_report(FILE *out, const struct oms_execution_report *one)
{
    char qty[DEC_TEXT_MAX];
    char price[DEC_TEXT_MAX];

    if (one->exec_type == OMS_EXEC_TYPE_TRADE) {
        if (one->liquidity == OMS_LIQUIDITY_TAKER) {
            (void)dec_format(one->last_qty, qty);
            (void)dec_format(one->last_px, price);
            (void)fprintf(out, " %.*s>%.*s:%s@%s", MR_SLICE_ARG(one->counter_order_id),
                          MR_SLICE_ARG(one->order_id), qty, price);
        }
        return;
    }
    (void)fprintf(out, " %.*s", MR_SLICE_ARG(one->order_id));
    if (one->has_reject_code) {
        (void)fprintf(out, "!%d", one->reject_code);
    } else if (one->has_cancel_reason) {
        (void)fprintf(out, "-%s", oms_cancel_reason_symbols[one->cancel_reason]);
    } else if (one->exec_type == OMS_EXEC_TYPE_REPLACED) {
        (void)dec_format(one->order_qty, qty);
        (void)dec_format(one->price, price);
        (void)fprintf(out, "=%s@%s", qty, price);
    } else if (one->exec_type == OMS_EXEC_TYPE_TRADE_PREVENTION) {
        (void)dec_format(one->prevented_qty, qty);
        (void)fprintf(out, "~%s", qty);
    } else {
        (void)fprintf(out, "%s", one->exec_type == OMS_EXEC_TYPE_TRIGGERED ? "^" : "+");
    }
}

/* All reports; to be freed. */
static inline char *script_tape(const struct script *script)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    for (size_t i = 0; i < reports(script->driver); i++) {
        print_report(out, report(script->driver, i));
    }
    (void)fclose(out);
    if (bytes > 0) {
        memmove(text, text + 1, bytes);
    }
    return text;
}

#endif
