/*
 * test_ledger.c
 *
 * Goal:   every journal balances, balances and postings say the same, and nothing is made or lost.
 * Method: worked journals as text; random trades between two users, with the house's accounts
 * summed from the postings alone.
 */
#include "domain/hold.h"
#include "domain/ledger.h"
#include "domain_test.h"

static struct ledger_balance usd;
static struct ledger_balance btc;
static struct ledger_journal journal;
static char text[1024];

static const struct ledger_party usd_party = {{"ann", 3}, {"USD", 3}, &usd};
static const struct ledger_party btc_party = {{"ann", 3}, {"BTC", 3}, &btc};

static void setup(void)
{
    usd = (struct ledger_balance){.available = amount("1000"), .hold = amount("101")};
    btc = (struct ledger_balance){.available = amount("5"), .hold = amount("2")};
}

/* One line per posting: direction, account, amount, balance after. */
static const char *told(void)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < journal.count; i++) {
        const struct ledger_posting *p = &journal.postings[i];
        char account[96];
        char sum[DEC_TEXT_MAX];
        char after[DEC_TEXT_MAX] = "-";
        ck_assert_uint_gt(ledger_account_text(p, account, sizeof(account)), 0);
        dec_format(p->amount, sum);
        if (p->has_balance_after) {
            dec_format(p->balance_after, after);
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s %s %s\n",
                                p->direction == LEDGER_DEBIT ? "Dr" : "Cr", account, sum, after);
    }
    return text;
}

START_TEST(a_hold_moves_from_available_to_hold_and_back)
{
    ck_assert(ledger_hold(&journal, &usd_party, amount("10")));
    ck_assert_int_eq(journal.entry, LEDGER_HOLD);
    ck_assert_str_eq(told(), "Dr user:ann:USD:avail 10 990\n"
                             "Cr user:ann:USD:hold 10 111\n");
    ck_assert(ledger_balanced(&journal));
    ck_assert(ledger_release(&journal, &usd_party, amount("111")));
    ck_assert_str_eq(told(), "Dr user:ann:USD:hold 111 0\n"
                             "Cr user:ann:USD:avail 111 1101\n");
    ck_assert(!journal.overdrawn);
}
END_TEST

START_TEST(money_comes_from_outside_and_goes_there)
{
    ck_assert(ledger_deposit(&journal, &usd_party, amount("5")));
    ck_assert_str_eq(told(), "Dr external:USD 5 -\nCr user:ann:USD:avail 5 1005\n");
    ck_assert(ledger_withdraw(&journal, &usd_party, amount("1005")));
    ck_assert_str_eq(told(), "Dr user:ann:USD:avail 1005 0\nCr external:USD 1005 -\n");
    ck_assert(ledger_balanced(&journal) && !journal.overdrawn);
    ck_assert(ledger_withdraw(&journal, &usd_party, 1));
    ck_assert_msg(journal.overdrawn, "below zero is told");
}
END_TEST

START_TEST(a_buyer_pays_from_the_hold)
{
    const struct ledger_trade trade = {.side = ORD_BUY,
                                       .base = btc_party,
                                       .quote = usd_party,
                                       .qty = amount("1"),
                                       .notional = amount("90"),
                                       .fee = amount("0.9"),
                                       .release = amount("10.1")};

    ck_assert(ledger_trade(&journal, &trade));
    ck_assert_str_eq(told(), "Dr user:ann:USD:hold 90.9 10.1\n"
                             "Cr clearing:USD 90 -\n"
                             "Cr fees:USD 0.9 -\n"
                             "Dr clearing:BTC 1 -\n"
                             "Cr user:ann:BTC:avail 1 6\n"
                             "Dr user:ann:USD:hold 10.1 0\n"
                             "Cr user:ann:USD:avail 10.1 1010.1\n");
    ck_assert(ledger_balanced(&journal));
}
END_TEST

START_TEST(a_seller_is_paid_less_the_fee)
{
    const struct ledger_trade trade = {.side = ORD_SELL,
                                       .base = btc_party,
                                       .quote = usd_party,
                                       .qty = amount("1"),
                                       .notional = amount("90"),
                                       .fee = amount("0.9")};

    ck_assert(ledger_trade(&journal, &trade));
    ck_assert_str_eq(told(), "Dr user:ann:BTC:hold 1 1\n"
                             "Cr clearing:BTC 1 -\n"
                             "Dr clearing:USD 90 -\n"
                             "Cr user:ann:USD:avail 89.1 1089.1\n"
                             "Cr fees:USD 0.9 -\n");
    ck_assert(ledger_balanced(&journal));
}
END_TEST

START_TEST(a_seller_of_an_amount_gets_the_rest_of_the_base_back)
{
    const struct ledger_trade trade = {.side = ORD_SELL,
                                       .base = btc_party,
                                       .quote = usd_party,
                                       .qty = amount("1"),
                                       .notional = amount("90"),
                                       .fee = amount("0.9"),
                                       .release = amount("0.25")};

    ck_assert(ledger_trade(&journal, &trade));
    ck_assert_str_eq(told(), "Dr user:ann:BTC:hold 1 1\n"
                             "Cr clearing:BTC 1 -\n"
                             "Dr clearing:USD 90 -\n"
                             "Cr user:ann:USD:avail 89.1 1089.1\n"
                             "Cr fees:USD 0.9 -\n"
                             "Dr user:ann:BTC:hold 0.25 0.75\n"
                             "Cr user:ann:BTC:avail 0.25 5.25\n");
    ck_assert(ledger_balanced(&journal));
}
END_TEST

START_TEST(a_withdrawal_in_two_steps_and_its_reversal)
{
    ck_assert(ledger_hold(&journal, &usd_party, amount("5")));
    ck_assert(ledger_withdraw_held(&journal, &usd_party, amount("5")));
    ck_assert_str_eq(told(), "Dr user:ann:USD:hold 5 101\nCr external:USD 5 -\n");
    ck_assert_int_eq(journal.entry, LEDGER_WITHDRAW);
    ck_assert(ledger_reverse_withdraw(&journal, &usd_party, amount("5")));
    ck_assert_str_eq(told(), "Dr external:USD 5 -\nCr user:ann:USD:avail 5 1000\n");
    ck_assert(ledger_reverse_deposit(&journal, &usd_party, amount("1")));
    ck_assert_str_eq(told(), "Dr user:ann:USD:avail 1 999\nCr external:USD 1 -\n");
    ck_assert_int_eq(journal.entry, LEDGER_REVERSAL);
}
END_TEST

START_TEST(a_rebate_comes_out_of_the_fees)
{
    struct ledger_trade trade = {.side = ORD_SELL,
                                 .base = btc_party,
                                 .quote = usd_party,
                                 .qty = amount("1"),
                                 .notional = amount("90"),
                                 .fee = amount("-1")};

    ck_assert(ledger_trade(&journal, &trade));
    ck_assert_str_eq(told(), "Dr user:ann:BTC:hold 1 1\n"
                             "Cr clearing:BTC 1 -\n"
                             "Dr clearing:USD 90 -\n"
                             "Cr user:ann:USD:avail 91 1091\n"
                             "Dr fees:USD 1 -\n");
    ck_assert(ledger_balanced(&journal));
    trade.side = ORD_BUY;
    ck_assert(ledger_trade(&journal, &trade) && ledger_balanced(&journal));
    assert_amount(usd.hold, amount("12"), "101 - 90 + 1");
}
END_TEST

START_TEST(a_journal_that_cannot_be_moves_nothing)
{
    struct ledger_trade trade = {.side = ORD_BUY,
                                 .base = btc_party,
                                 .quote = usd_party,
                                 .qty = amount("1"),
                                 .notional = amount("90"),
                                 .release = -1};

    ck_assert_msg(!ledger_trade(&journal, &trade), "negative release");
    ck_assert_uint_eq(journal.count, 0);
    assert_amount(usd.hold, amount("101"), "though it was the last posting");
    assert_amount(btc.available, amount("5"), "base too");
    trade.side = ORD_SELL;
    ck_assert_msg(!ledger_trade(&journal, &trade), "of a sell too");
    ck_assert(!ledger_hold(&journal, &usd_party, -1));
    btc.available = DEC_MAX;
    ck_assert_msg(!ledger_deposit(&journal, &btc_party, 1), "out of range");
    ck_assert(ledger_hold(&journal, &usd_party, 0));
    ck_assert_msg(journal.count == 0, "nothing is not posted");
}
END_TEST

START_TEST(an_unbalanced_journal_is_seen)
{
    ck_assert(ledger_hold(&journal, &usd_party, amount("10")));
    journal.postings[1].amount += 1;
    ck_assert(!ledger_balanced(&journal));
    journal.postings[1].amount -= 1;
    journal.postings[1].asset = dom_text_str("EUR");
    ck_assert_msg(!ledger_balanced(&journal), "each asset for itself");
    journal.postings[1].asset = dom_text_str("USD");
    journal.postings[0].amount = journal.postings[1].amount = -1;
    ck_assert_msg(!ledger_balanced(&journal), "negative amounts are no postings");
}
END_TEST

START_TEST(an_account_name_that_does_not_fit_is_refused)
{
    const struct ledger_posting posting = {
        .account = LEDGER_ACCOUNT_HOLD, .user = {"ann", 3}, .asset = {"USD", 3}};
    char buffer[18];

    ck_assert_uint_eq(ledger_account_text(&posting, buffer, 18), 17);
    ck_assert_str_eq(buffer, "user:ann:USD:hold");
    ck_assert_uint_eq(ledger_account_text(&posting, buffer, 17), 0);
    ck_assert_uint_eq(ledger_account_text(&posting, buffer, 0), 0);
}
END_TEST

/* --- random trades: two users, sums of the house taken from the postings --- */

struct user_accounts {
    struct ledger_balance base;
    struct ledger_balance quote;
};

static dec_t house_sums[2][5]; /* asset (0 = USD), account: credits minus debits */

static void book_journal(void)
{
    ck_assert(ledger_balanced(&journal));
    ck_assert(!journal.overdrawn);
    for (size_t i = 0; i < journal.count; i++) {
        const struct ledger_posting *p = &journal.postings[i];
        const size_t asset = p->asset.data[0] == 'U' ? 0 : 1;
        house_sums[asset][p->account] += p->direction == LEDGER_CREDIT ? p->amount : -p->amount;
    }
}

static void leg(struct user_accounts *who, enum ord_side side, dec_t limit, dec_t price, dec_t qty)
{
    const struct ledger_party quote = {{"u", 1}, {"USD", 3}, &who->quote};
    const struct ledger_party base = {{"u", 1}, {"BTC", 3}, &who->base};
    struct hold_order order = {.side = side,
                               .price = limit,
                               .maker_rate = amount("0.0003"),
                               .taker_rate = amount("0.0007"),
                               .leaves = qty};
    struct hold_fill fill = {0};

    ck_assert(hold_now(&order, &order.hold));
    ck_assert(ledger_hold(&journal, side == ORD_BUY ? &quote : &base, order.hold));
    book_journal();
    ck_assert(hold_apply(&order, ORD_TAKER, price, qty, &fill));
    ck_assert(ledger_trade(&journal, &(struct ledger_trade){.side = side,
                                                            .base = base,
                                                            .quote = quote,
                                                            .qty = qty,
                                                            .notional = fill.notional,
                                                            .fee = fill.fee,
                                                            .release = fill.release}));
    book_journal();
    assert_amount(order.hold, 0, "filled");
}

START_TEST(a_thousand_trades_make_and_lose_nothing)
{
    static struct user_accounts users[2];
    uint64_t seed = 17;

    memset(users, 0, sizeof(users));
    memset(house_sums, 0, sizeof(house_sums));
    for (size_t i = 0; i < 2; i++) {
        const struct ledger_party quote = {{"u", 1}, {"USD", 3}, &users[i].quote};
        const struct ledger_party base = {{"u", 1}, {"BTC", 3}, &users[i].base};
        ck_assert(ledger_deposit(&journal, &quote, amount("1000000000")));
        book_journal();
        ck_assert(ledger_deposit(&journal, &base, amount("1000000")));
        book_journal();
    }
    for (int i = 0; i < 1000; i++) {
        const size_t buyer = (size_t)random_below(&seed, 2);
        const dec_t price = (dec_t)(1 + random_below(&seed, 100000)) * (DEC_ONE / 100);
        const dec_t qty = (dec_t)(1 + random_below(&seed, 10000000)) * (DEC_ONE / 100000);
        leg(&users[buyer], ORD_BUY, price + DEC_ONE / 100, price, qty);
        leg(&users[1 - buyer], ORD_SELL, price, price, qty);
        for (size_t asset = 0; asset < 2; asset++) {
            dec_t sum = 0;
            for (size_t account = 0; account < 5; account++) {
                sum += house_sums[asset][account];
            }
            assert_amount(sum, 0, "credits equal debits over all accounts");
            assert_amount(house_sums[asset][LEDGER_ACCOUNT_CLEARING], 0, "clearing is empty");
        }
    }
    assert_amount(users[0].quote.available + users[1].quote.available,
                  house_sums[0][LEDGER_ACCOUNT_AVAILABLE], "postings add up to the balances");
    ck_assert(house_sums[0][LEDGER_ACCOUNT_FEES] > 0);
    assert_amount(users[0].quote.hold + users[1].quote.hold, 0, "nothing stays held");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tcase = tcase_create("ledger");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_hold_moves_from_available_to_hold_and_back);
    tcase_add_test(tcase, money_comes_from_outside_and_goes_there);
    tcase_add_test(tcase, a_buyer_pays_from_the_hold);
    tcase_add_test(tcase, a_seller_is_paid_less_the_fee);
    tcase_add_test(tcase, a_seller_of_an_amount_gets_the_rest_of_the_base_back);
    tcase_add_test(tcase, a_withdrawal_in_two_steps_and_its_reversal);
    tcase_add_test(tcase, a_rebate_comes_out_of_the_fees);
    tcase_add_test(tcase, a_journal_that_cannot_be_moves_nothing);
    tcase_add_test(tcase, an_unbalanced_journal_is_seen);
    tcase_add_test(tcase, an_account_name_that_does_not_fit_is_refused);
    tcase_add_test(tcase, a_thousand_trades_make_and_lose_nothing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
