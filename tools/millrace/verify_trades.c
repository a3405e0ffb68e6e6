/*
 * verify_trades.c -- the trades that came out are the recorded ones, one by one.
 */
#include "avro/trade.h"
#include "load_decimal.h"
#include "millrace/arena.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

struct tape_side {                      /* of one symbol */
    const struct load_trade **expected; /* in order */
    size_t count;
    size_t arrived;
    int64_t equal;
    int64_t last_id; /* 0: none yet */
    struct verify_check *check;
};

struct verify_trades {
    struct verify *verify;
    struct tape_side sides[LOAD_SYMBOLS_MAX];
    struct verify_check *gapless;
    int64_t trades;
};

struct verify_trades *verify_trades_create(struct verify *verify)
{
    struct verify_trades *t = mr_xcalloc(1, sizeof *t);

    t->verify = verify;
    for (size_t s = 0; s < verify->tape.symbol_count; s++) {
        char name[64];

        (void)snprintf(name, sizeof name, "trades equal the tape %s", verify->tape.symbols[s].name);
        t->sides[s].check = verify_check_open(verify->report, name);
        t->sides[s].expected =
            mr_xcalloc(verify->tape.symbols[s].trades, sizeof *t->sides[s].expected);
    }
    for (size_t i = 0; i < verify->tape.count; i++) {
        struct tape_side *side = &t->sides[verify->tape.trades[i].symbol];

        side->expected[side->count] = &verify->tape.trades[i];
        side->count++;
    }
    t->gapless = verify_check_open(verify->report, "trade ids that leave a gap");
    return t;
}

static void compare(struct tape_side *side, const struct load_record *record,
                    const struct oms_trade *trade)
{
    const struct load_trade *expected;
    char want[2][LOAD_DECIMAL_TEXT_MAX], got[2][LOAD_DECIMAL_TEXT_MAX];
    mr_i128 notional = 0;

    if (side->arrived >= side->count) {
        verify_differ(side->check,
                      "trade %" PRId64 " at trades/%d@%" PRId64 " is one more than the tape has",
                      trade->trade_id, record->partition, record->offset);
        side->arrived++;
        return;
    }
    expected = side->expected[side->arrived];
    side->arrived++;
    if (trade->price == expected->price && trade->qty == expected->qty &&
        trade->ts_us == expected->ts_us &&
        (trade->taker_side == OMS_SIDE_SELL) == expected->buyer_maker &&
        load_decimal_product(trade->price, trade->qty, &notional) && notional == trade->quote_qty) {
        side->equal++;
        return;
    }
    verify_differ(side->check,
                  "recorded trade %" PRId64 " is %s x %s, trade %" PRId64 " at trades/%d@%" PRId64
                  " is %s x %s, taker %s, quote or time may differ too",
                  expected->trade_id, load_decimal_format(expected->price, want[0]),
                  load_decimal_format(expected->qty, want[1]), trade->trade_id, record->partition,
                  record->offset, load_decimal_format(trade->price, got[0]),
                  load_decimal_format(trade->qty, got[1]),
                  trade->taker_side == OMS_SIDE_SELL ? "SELL" : "BUY");
}

enum mr_status verify_trades_on_trade(void *arg, const struct load_record *record,
                                      struct mr_err *err)
{
    struct verify_trades *t = arg;
    const struct oms_trade *trade = record->value;

    (void)err;
    for (size_t s = 0; trade != NULL && s < t->verify->tape.symbol_count; s++) {
        struct tape_side *side = &t->sides[s];

        if (!mr_slice_equal(trade->symbol, mr_slice_str(t->verify->tape.symbols[s].name))) {
            continue;
        }
        if (side->last_id != 0 && trade->trade_id != side->last_id + 1) {
            verify_differ(t->gapless, "%.*s: %" PRId64 " after %" PRId64 " at trades/%d@%" PRId64,
                          MR_SLICE_ARG(trade->symbol), trade->trade_id, side->last_id,
                          record->partition, record->offset);
        }
        side->last_id = trade->trade_id;
        if (verify_in_run(t->verify, record)) {
            t->trades++;
            compare(side, record, trade);
        }
    }
    return MR_OK;
}

void verify_trades_end(struct verify_trades **trades)
{
    struct verify_trades *t = *trades;

    for (size_t s = 0; s < t->verify->tape.symbol_count; s++) {
        struct tape_side *side = &t->sides[s];

        for (size_t i = side->arrived; i < side->count; i++) {
            verify_differ(side->check, "recorded trade %" PRId64 " did not come out",
                          side->expected[i]->trade_id);
        }
        verify_check_close(side->check, (int64_t)side->count, side->equal);
        free(side->expected);
    }
    verify_check_close(t->gapless, 0, verify_check_differences(t->gapless));
    verify_report_note(t->verify->report, "trades", t->trades);
    free(t);
    *trades = NULL;
}
