/*
 * ledger.c -- see ledger.h.
 *
 * How: a builder works on copies of the balances and of nothing else; only a journal that went
 *      through whole is written back.
 */
#include "domain/ledger.h"

static struct ledger_journal *begin(struct ledger_journal *journal, enum ledger_entry entry)
{
    journal->entry = entry;
    journal->count = 0;
    journal->overdrawn = false;
    return journal;
}

/* A posting of amount > 0; 0 posts nothing; negative is the caller's mistake. */
static bool post(struct ledger_journal *journal, const struct ledger_posting *posting)
{
    if (posting->amount < 0 || journal->count == LEDGER_POSTINGS_MAX) {
        return false;
    }
    if (posting->amount > 0) {
        journal->postings[journal->count++] = *posting;
    }
    return true;
}

/* A posting to an account of the house. */
static bool post_house(struct ledger_journal *journal, enum ledger_account account,
                       enum ledger_direction direction, struct dom_text asset, dec_t amount)
{
    return post(journal,
                &(struct ledger_posting){
                    .account = account, .direction = direction, .asset = asset, .amount = amount});
}

/* Moves a user's balance (credit: up) and posts it with what it is afterwards. */
static bool post_user(struct ledger_journal *journal, enum ledger_account account,
                      enum ledger_direction direction, const struct ledger_party *party,
                      dec_t amount)
{
    dec_t *balance =
        account == LEDGER_ACCOUNT_HOLD ? &party->balance->hold : &party->balance->available;
    const bool credit = direction == LEDGER_CREDIT;

    if (credit ? !dec_add(*balance, amount, balance) : !dec_sub(*balance, amount, balance)) {
        return false;
    }
    return post(journal, &(struct ledger_posting){.account = account,
                                                  .direction = direction,
                                                  .user = party->user,
                                                  .asset = party->asset,
                                                  .amount = amount,
                                                  .has_balance_after = true,
                                                  .balance_after = *balance});
}

static bool below_zero(const struct ledger_balance *balance)
{
    return balance->available < 0 || balance->hold < 0;
}

/* Ends a builder over one balance: all or nothing. */
static bool finish(struct ledger_journal *journal, bool good, const struct ledger_party *party,
                   const struct ledger_balance *moved)
{
    if (!good) {
        journal->count = 0;
        return false;
    }
    journal->overdrawn = journal->overdrawn || below_zero(moved);
    *party->balance = *moved;
    return true;
}

/* Dr one account, Cr another, of one asset: at least one of them is the user's. */
static bool transfer(struct ledger_journal *journal, enum ledger_entry entry,
                     enum ledger_account from, enum ledger_account to,
                     const struct ledger_party *party, dec_t amount)
{
    const enum ledger_account accounts[] = {from, to};
    struct ledger_balance moved = *party->balance;
    const struct ledger_party p = {party->user, party->asset, &moved};
    bool good = true;

    begin(journal, entry);
    for (size_t i = 0; i < 2 && good; i++) {
        const enum ledger_direction direction = i == 0 ? LEDGER_DEBIT : LEDGER_CREDIT;

        good = accounts[i] <= LEDGER_ACCOUNT_HOLD
                   ? post_user(journal, accounts[i], direction, &p, amount)
                   : post_house(journal, accounts[i], direction, party->asset, amount);
    }
    return finish(journal, good, party, &moved);
}

bool ledger_hold(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount)
{
    return transfer(journal, LEDGER_HOLD, LEDGER_ACCOUNT_AVAILABLE, LEDGER_ACCOUNT_HOLD, party,
                    amount);
}

bool ledger_release(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount)
{
    return transfer(journal, LEDGER_RELEASE, LEDGER_ACCOUNT_HOLD, LEDGER_ACCOUNT_AVAILABLE, party,
                    amount);
}

bool ledger_deposit(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount)
{
    return transfer(journal, LEDGER_DEPOSIT, LEDGER_ACCOUNT_EXTERNAL, LEDGER_ACCOUNT_AVAILABLE,
                    party, amount);
}

bool ledger_withdraw(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount)
{
    return transfer(journal, LEDGER_WITHDRAW, LEDGER_ACCOUNT_AVAILABLE, LEDGER_ACCOUNT_EXTERNAL,
                    party, amount);
}

bool ledger_withdraw_held(struct ledger_journal *journal, const struct ledger_party *party,
                          dec_t amount)
{
    return transfer(journal, LEDGER_WITHDRAW, LEDGER_ACCOUNT_HOLD, LEDGER_ACCOUNT_EXTERNAL, party,
                    amount);
}

bool ledger_reverse_deposit(struct ledger_journal *journal, const struct ledger_party *party,
                            dec_t amount)
{
    return transfer(journal, LEDGER_REVERSAL, LEDGER_ACCOUNT_AVAILABLE, LEDGER_ACCOUNT_EXTERNAL,
                    party, amount);
}

bool ledger_reverse_withdraw(struct ledger_journal *journal, const struct ledger_party *party,
                             dec_t amount)
{
    return transfer(journal, LEDGER_REVERSAL, LEDGER_ACCOUNT_EXTERNAL, LEDGER_ACCOUNT_AVAILABLE,
                    party, amount);
}

/* A fee into the house's account, a rebate out of it. */
static bool post_fee(struct ledger_journal *journal, struct dom_text asset, dec_t fee)
{
    return post_house(journal, LEDGER_ACCOUNT_FEES, fee < 0 ? LEDGER_DEBIT : LEDGER_CREDIT, asset,
                      dec_abs(fee));
}

static bool post_buyer(struct ledger_journal *journal, const struct ledger_trade *t,
                       const struct ledger_party *base, const struct ledger_party *quote)
{
    dec_t spent = 0;

    return dec_add(t->notional, t->fee, &spent) &&
           post_user(journal, LEDGER_ACCOUNT_HOLD, LEDGER_DEBIT, quote, spent) &&
           post_house(journal, LEDGER_ACCOUNT_CLEARING, LEDGER_CREDIT, quote->asset, t->notional) &&
           post_fee(journal, quote->asset, t->fee) &&
           post_house(journal, LEDGER_ACCOUNT_CLEARING, LEDGER_DEBIT, base->asset, t->qty) &&
           post_user(journal, LEDGER_ACCOUNT_AVAILABLE, LEDGER_CREDIT, base, t->qty) &&
           post_user(journal, LEDGER_ACCOUNT_HOLD, LEDGER_DEBIT, quote, t->release) &&
           post_user(journal, LEDGER_ACCOUNT_AVAILABLE, LEDGER_CREDIT, quote, t->release);
}

static bool post_seller(struct ledger_journal *journal, const struct ledger_trade *t,
                        const struct ledger_party *base, const struct ledger_party *quote)
{
    dec_t proceeds = 0;

    return dec_sub(t->notional, t->fee, &proceeds) &&
           post_user(journal, LEDGER_ACCOUNT_HOLD, LEDGER_DEBIT, base, t->qty) &&
           post_house(journal, LEDGER_ACCOUNT_CLEARING, LEDGER_CREDIT, base->asset, t->qty) &&
           post_house(journal, LEDGER_ACCOUNT_CLEARING, LEDGER_DEBIT, quote->asset, t->notional) &&
           post_user(journal, LEDGER_ACCOUNT_AVAILABLE, LEDGER_CREDIT, quote, proceeds) &&
           post_fee(journal, quote->asset, t->fee) &&
           post_user(journal, LEDGER_ACCOUNT_HOLD, LEDGER_DEBIT, base, t->release) &&
           post_user(journal, LEDGER_ACCOUNT_AVAILABLE, LEDGER_CREDIT, base, t->release);
}

bool ledger_trade(struct ledger_journal *journal, const struct ledger_trade *trade)
{
    struct ledger_balance base_moved = *trade->base.balance;
    struct ledger_balance quote_moved = *trade->quote.balance;
    const struct ledger_party base = {trade->base.user, trade->base.asset, &base_moved};
    const struct ledger_party quote = {trade->quote.user, trade->quote.asset, &quote_moved};

    begin(journal, LEDGER_TRADE);
    const bool good = trade->side == ORD_BUY ? post_buyer(journal, trade, &base, &quote)
                                             : post_seller(journal, trade, &base, &quote);
    return finish(journal, good, &trade->base, &base_moved) &&
           finish(journal, good, &trade->quote, &quote_moved);
}

/* Credits minus debits of one asset; false on overflow or an amount that is not positive. */
static bool asset_sum(const struct ledger_journal *journal, struct dom_text asset, dec_t *sum)
{
    *sum = 0;
    for (size_t i = 0; i < journal->count; i++) {
        const struct ledger_posting *p = &journal->postings[i];
        if (p->amount <= 0) {
            return false;
        }
        if (!dom_text_equal(p->asset, asset)) {
            continue;
        }
        if (!dec_add(*sum, p->direction == LEDGER_CREDIT ? p->amount : -p->amount, sum)) {
            return false;
        }
    }
    return true;
}

bool ledger_balanced(const struct ledger_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        dec_t sum = 0;
        if (!asset_sum(journal, journal->postings[i].asset, &sum) || sum != 0) {
            return false;
        }
    }
    return true;
}

/* Appends while there is room; a NULL `at` stands for "did not fit" and stays. */
static char *append(char *at, const char *end, const char *text, size_t len)
{
    if (at == NULL || (size_t)(end - at) <= len) {
        return NULL;
    }
    if (len > 0) {
        memcpy(at, text, len);
    }
    return at + len;
}

static char *append_text(char *at, const char *end, const char *text)
{
    return append(at, end, text, strlen(text));
}

size_t ledger_account_text(const struct ledger_posting *posting, char *buffer, size_t buffer_bytes)
{
    static const char *const first[] = {"user:", "user:", "clearing:", "fees:", "external:"};
    const char *end = buffer + buffer_bytes;
    char *at = append_text(buffer, end, first[posting->account]);

    if (posting->account <= LEDGER_ACCOUNT_HOLD) {
        at = append(at, end, posting->user.data, posting->user.len);
        at = append(at, end, ":", 1);
    }
    at = append(at, end, posting->asset.data, posting->asset.len);
    if (posting->account <= LEDGER_ACCOUNT_HOLD) {
        at = append_text(at, end, posting->account == LEDGER_ACCOUNT_HOLD ? ":hold" : ":avail");
    }
    if (at == NULL) {
        return 0;
    }
    *at = '\0';
    return (size_t)(at - buffer);
}
