/*
 * money_bench -- exact amounts against plain 64-bit integers, and what one execution costs in
 * memory.
 *
 * Why: 128-bit amounts at scale 18 must not be what makes the pipeline slow: within three times of
 *      int64_t at scale 8, and less than a microsecond for the checks of risk and for a settlement.
 * How: the same typical numbers for both sides, prepared before the clock starts; the best of
 *      several rounds, in processor time. The int64_t side is written as one would write it without
 * this library: the product through 128 bits, the text digit by digit, overflow checked where ours
 * checks it. Not: a test; no state store, no records.
 */
#include "domain/hold.h"
#include "domain/ledger.h"
#include "domain/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define VALUES 1024
#define LOOPS 400
#define ROUNDS 9
#define PLAIN_ONE INT64_C(100000000)
#define PLAIN_SCALE 8

static char texts[VALUES][DEC_TEXT_MAX];
static size_t lengths[VALUES];
static dec_t amounts[VALUES];
static dec_t factors[VALUES];
static int64_t plain_amounts[VALUES];
static int64_t plain_factors[VALUES];
static volatile int64_t sink; /* so that nothing is left out */

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Prices as a market has them: up to six digits, two to eight decimals. */
static void prepare(void)
{
    uint64_t state = 1;

    for (int i = 0; i < VALUES; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const int64_t whole = (int64_t)(state >> 45);
        const int64_t unit = i % 2 == 0 ? 1000000 : 1; /* two decimals or eight */
        const int64_t part = (int64_t)(state >> 8) % PLAIN_ONE;
        plain_amounts[i] = whole * PLAIN_ONE + part / unit * unit;
        plain_factors[i] = (int64_t)(state >> 20) % (20 * PLAIN_ONE);
        amounts[i] = (dec_t)plain_amounts[i] * (DEC_ONE / PLAIN_ONE);
        factors[i] = (dec_t)plain_factors[i] * (DEC_ONE / PLAIN_ONE);
        lengths[i] = dec_format(amounts[i], texts[i]);
    }
}

/* --- plain integers --- */

static bool plain_parse(const char *text, size_t len, int64_t *out)
{
    int64_t value = 0;
    size_t decimals = 0;
    bool point = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && !point && i > 0) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text[i] - '0', &value)) {
            return false;
        }
        decimals += point ? 1 : 0;
    }
    if (decimals > PLAIN_SCALE || len == 0) {
        return false;
    }
    for (; decimals < PLAIN_SCALE; decimals++) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

static size_t plain_format(int64_t value, char *out)
{
    char digits[24];
    uint64_t rest = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    size_t count = 0;
    size_t len = 0;
    size_t last = 0;

    do {
        digits[count++] = (char)('0' + (char)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    while (count <= PLAIN_SCALE) {
        digits[count++] = '0';
    }
    if (value < 0) {
        out[len++] = '-';
    }
    while (last < PLAIN_SCALE && digits[last] == '0') {
        last++;
    }
    for (size_t i = count; i > last; i--) {
        if (i == PLAIN_SCALE) {
            out[len++] = '.';
        }
        out[len++] = digits[i - 1];
    }
    out[len] = '\0';
    return len;
}

static bool plain_mul(int64_t a, int64_t b, int64_t *out)
{
    const dec_t product = (dec_t)a * b / PLAIN_ONE;

    *out = (int64_t)product;
    return product <= INT64_MAX && product >= INT64_MIN;
}

/* --- what is measured: each returns something that depends on the result --- */

static int64_t do_parse(int i)
{
    dec_t value = 0;

    return dec_parse(dom_text_of(texts[i], lengths[i]), &value) == DEC_PARSED ? (int64_t)value : 0;
}

static int64_t do_plain_parse(int i)
{
    int64_t value = 0;

    return plain_parse(texts[i], lengths[i], &value) ? value : 0;
}

static int64_t do_format(int i)
{
    char text[DEC_TEXT_MAX];

    return (int64_t)dec_format(amounts[i], text) + text[1];
}

static int64_t do_plain_format(int i)
{
    char text[DEC_TEXT_MAX];

    return (int64_t)plain_format(plain_amounts[i], text) + text[1];
}

static int64_t do_mul(int i)
{
    dec_t value = 0;

    return dec_mul(amounts[i], factors[i], DEC_CEIL, &value) ? (int64_t)value : 0;
}

static int64_t do_plain_mul(int i)
{
    int64_t value = 0;

    return plain_mul(plain_amounts[i], plain_factors[i], &value) ? value : 0;
}

/* What risk computes for an order: its hold, and the hold's move in the ledger. */
static int64_t do_risk(int i)
{
    static struct ledger_balance balance = {.available = DEC_MAX / 4};
    const struct ledger_party party = {
        .user = dom_text_str("user-000123"), .asset = dom_text_str("USDT"), .balance = &balance};
    struct ledger_journal journal;
    dec_t hold = 0;

    if (!hold_initial(ORD_BUY, amounts[i], factors[i] + DEC_ONE, DEC_ONE / 1000, &hold) ||
        !ledger_hold(&journal, &party, hold) || !ledger_release(&journal, &party, hold)) {
        return 0;
    }
    return (int64_t)journal.count + (int64_t)hold;
}

/* What settle computes for an execution: the fill of the hold, the trade's journal, the position.
 */
static int64_t do_settle(int i)
{
    static struct ledger_balance base;
    static struct ledger_balance quote;
    static struct pos pos;
    const struct dom_text user = dom_text_str("user-000123");
    const dec_t qty = factors[i] + DEC_ONE;
    struct hold_order order = {.side = ORD_BUY,
                               .price = amounts[i] + DEC_ONE,
                               .maker_rate = DEC_ONE / 1000,
                               .taker_rate = DEC_ONE / 500,
                               .leaves = qty};
    struct hold_fill fill;
    struct ledger_journal journal;
    dec_t realised = 0;

    base = (struct ledger_balance){.available = DEC_ONE};
    quote = (struct ledger_balance){.hold = DEC_MAX / 4};
    if (!hold_now(&order, &order.hold) || !hold_apply(&order, ORD_TAKER, amounts[i], qty, &fill)) {
        return 0;
    }
    const struct ledger_trade trade = {
        .side = ORD_BUY,
        .base = {.user = user, .asset = dom_text_str("BTC"), .balance = &base},
        .quote = {.user = user, .asset = dom_text_str("USDT"), .balance = &quote},
        .qty = qty,
        .notional = fill.notional,
        .fee = fill.fee,
        .release = fill.release};
    const struct pos_fill moved = {.side = i % 2 == 0 ? ORD_BUY : ORD_SELL,
                                   .qty = qty,
                                   .notional = fill.notional,
                                   .fee = fill.fee,
                                   .ts_us = i};
    if (!ledger_trade(&journal, &trade) || !pos_apply(&pos, &moved, &realised)) {
        return 0;
    }
    return (int64_t)journal.count + (int64_t)realised;
}

/* Best time of one call in picoseconds; 0 from a call means that it failed. */
static int64_t measure_ps(const char *name, int64_t (*call)(int))
{
    int64_t best = INT64_MAX;

    for (int round = 0; round < ROUNDS; round++) {
        const int64_t start = now_ns();
        int64_t sum = 0;
        for (int loop = 0; loop < LOOPS; loop++) {
            for (int i = 0; i < VALUES; i++) {
                sum += call(i);
            }
        }
        const int64_t took = now_ns() - start;
        best = took < best ? took : best;
        sink = sum;
    }
    if (call(1) == 0) {
        (void)fprintf(stderr, "money_bench: %s failed\n", name);
        exit(EXIT_FAILURE);
    }
    return best * 1000 / (LOOPS * VALUES);
}

static void compare(const char *name, int64_t (*ours)(int), int64_t (*plain)(int))
{
    const int64_t ours_ps = measure_ps(name, ours);
    const int64_t plain_ps = measure_ps(name, plain);
    const int64_t tenths = ours_ps * 10 / (plain_ps == 0 ? 1 : plain_ps);

    printf("decimal %-10s %5" PRId64 ".%" PRId64 " ns   int64 %5" PRId64 ".%" PRId64
           " ns   %3" PRId64 ".%" PRId64 " times%s\n",
           name, ours_ps / 1000, ours_ps / 100 % 10, plain_ps / 1000, plain_ps / 100 % 10,
           tenths / 10, tenths % 10, tenths <= 30 ? "" : "  (target: 3)");
}

static void alone(const char *name, int64_t (*call)(int))
{
    const int64_t ps = measure_ps(name, call);

    printf("%-18s %5" PRId64 ".%" PRId64 " ns%s\n", name, ps / 1000, ps / 100 % 10,
           ps < 1000000 ? "" : "  (target: 1000 ns)");
}

int main(void)
{
    prepare();
    compare("parse", do_parse, do_plain_parse);
    compare("format", do_format, do_plain_format);
    compare("multiply", do_mul, do_plain_mul);
    alone("risk, one order", do_risk);
    alone("settle, one fill", do_settle);
    return EXIT_SUCCESS;
}
