/*
 * ledger.h -- journals whose debits equal their credits in every asset.
 *
 * How: accounts are user:{user}:{asset}:avail, user:{user}:{asset}:hold, clearing:{asset},
 *      fees:{asset}, external:{asset}. User accounts are liabilities of the house: a CREDIT
 *      increases what the user has. Over all accounts, credits minus debits are 0 per asset; what
 *      users own stands as a debit in external. A trade is two journals, one per leg; clearing is
 *      0 again when both are posted.
 * Why: the builder moves balances and writes postings in one step, so they cannot disagree.
 * Not: no storage, no journal ids; texts are borrowed from the caller.
 *
 * Every builder: true and journal and balances moved, or false (overflow, negative amount, too
 * many postings) and balances unchanged and the journal empty. Balances MAY become negative: the
 * transfers and the executions of a user reach settle in different topics, so a withdrawal can
 * overtake the release that funded it. `overdrawn` reports it; the caller counts it.
 */
#ifndef DOMAIN_LEDGER_H
#define DOMAIN_LEDGER_H

#include "domain/order.h"

#define LEDGER_ENTRIES(X) X(HOLD) X(RELEASE) X(TRADE) X(FEE) X(DEPOSIT) X(WITHDRAW) X(REVERSAL)
#define LEDGER_DIRECTIONS(X) X(DEBIT) X(CREDIT)
#define LEDGER_ENUM(name) LEDGER_##name,
/* clang-format off */
enum ledger_entry { LEDGER_ENTRIES(LEDGER_ENUM) };         /* ordinals of EntryType */
enum ledger_direction { LEDGER_DIRECTIONS(LEDGER_ENUM) };  /* ordinals of Direction */
/* clang-format on */

enum ledger_account {
    LEDGER_ACCOUNT_AVAILABLE,
    LEDGER_ACCOUNT_HOLD,
    LEDGER_ACCOUNT_CLEARING,
    LEDGER_ACCOUNT_FEES,
    LEDGER_ACCOUNT_EXTERNAL,
};

struct ledger_posting {
    enum ledger_account account;
    enum ledger_direction direction;
    struct dom_text user; /* of the user accounts; empty otherwise */
    struct dom_text asset;
    dec_t amount; /* > 0: postings of nothing are left out */
    bool has_balance_after;
    dec_t balance_after; /* of the user's account */
};

#define LEDGER_POSTINGS_MAX 12

struct ledger_journal {
    enum ledger_entry entry;
    struct ledger_posting postings[LEDGER_POSTINGS_MAX];
    size_t count;
    bool overdrawn; /* a user's account is below zero after this journal */
};

/* What a user has of one asset. */
struct ledger_balance {
    dec_t available;
    dec_t hold;
};

/* A user's account in one asset: names borrowed, balance moved by the builders. */
struct ledger_party {
    struct dom_text user;
    struct dom_text asset;
    struct ledger_balance *balance;
};

/* Dr avail, Cr hold. amount 0 gives an empty journal. */
bool ledger_hold(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount);

/* Dr hold, Cr avail. */
bool ledger_release(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount);

/* Dr external, Cr avail. */
bool ledger_deposit(struct ledger_journal *journal, const struct ledger_party *party, dec_t amount);

/* Dr avail, Cr external. */
bool ledger_withdraw(struct ledger_journal *journal, const struct ledger_party *party,
                     dec_t amount);

/* Dr hold, Cr external: a withdrawal whose amount was held before. */
bool ledger_withdraw_held(struct ledger_journal *journal, const struct ledger_party *party,
                          dec_t amount);

/* The mirror images of ledger_deposit and ledger_withdraw, as entries of their own. */
bool ledger_reverse_deposit(struct ledger_journal *journal, const struct ledger_party *party,
                            dec_t amount);
bool ledger_reverse_withdraw(struct ledger_journal *journal, const struct ledger_party *party,
                             dec_t amount);

/* One leg of a trade. base and quote belong to one user. */
struct ledger_trade {
    enum ord_side side;
    struct ledger_party base;
    struct ledger_party quote;
    dec_t qty;
    dec_t notional;
    dec_t fee;     /* in quote; negative is a rebate, debited to fees */
    dec_t release; /* surplus of the hold that goes back to avail: buy in quote, sell in base */
};

/*
 * buyer   Dr hold notional + fee, Cr clearing notional, Cr fees fee          (quote)
 *         Dr clearing qty, Cr avail qty                                      (base)
 *         Dr hold release, Cr avail release                                  (quote)
 * seller  Dr hold qty, Cr clearing qty                                       (base)
 *         Dr clearing notional, Cr avail notional - fee, Cr fees fee         (quote)
 *         Dr hold release, Cr avail release                                  (base)
 * A sell releases when it was to bring an amount of quote: its hold was what the worst price takes.
 */
bool ledger_trade(struct ledger_journal *journal, const struct ledger_trade *trade);

/* Do debits equal credits in each asset, all amounts positive? */
bool ledger_balanced(const struct ledger_journal *journal);

/* Account name of a posting into buffer, zero-terminated; the length, or 0 when it does not fit. */
size_t ledger_account_text(const struct ledger_posting *posting, char *buffer, size_t buffer_bytes);

#endif
