/*
 * engine.h -- what the files of fill share.
 *
 *   fill.c       table of the stage, dispatch of a record, life
 *   engine.c     NEW: checks, and what the order becomes
 *   amend.c      AMEND
 *   cancel.c     CANCEL and CANCEL_ALL
 *   match.c      an order walks the other side: limits, self-trades, what becomes of the rest
 *   execute.c    one trade, or one prevented trade, between two orders
 *   stops.c      what a trade triggers
 *   expiry.c     orders whose time is up
 *   orders.c     an order takes a place in book, stops and store, and leaves it
 *   reports.c    execution reports and trades
 *   markets.c    symbols: book, stops, counters, instrument
 *   snapshot.c   deltas and snapshots at the end of a transaction
 *   reload.c     memory from the stores
 *
 * Between commits the book in memory is what counts; every change is written to the stores within
 * the same record, so reload gives the same book.
 */
#ifndef MILLRACE_STAGES_FILL_ENGINE_H
#define MILLRACE_STAGES_FILL_ENGINE_H

#include "avro/book_state.h"
#include "avro/execution_report.h"
#include "avro/instrument.h"
#include "avro/order_command.h"
#include "domain/codes.h"
#include "domain/heap.h"
#include "domain/hold.h"
#include "domain/instrument.h"
#include "domain/order_book.h"
#include "domain/stop_book.h"
#include "millrace/stage.h"

#define FILL_MAGIC UINT32_C(0xf1112e60)
#define SYMBOL_BYTES_MAX ((size_t)64)
#define ASSET_BYTES_MAX ((size_t)32)
#define SNAPSHOT_LEVELS ((size_t)20)

enum fill_in { FILL_IN_ORDERS, FILL_IN_INSTRUMENTS };
enum fill_out { FILL_OUT_EXECUTIONS, FILL_OUT_TRADES, FILL_OUT_BOOK, FILL_OUT_SNAPSHOTS };
enum fill_store { FILL_STORE_ORDERS, FILL_STORE_BOOKS, FILL_STORE_INSTRUMENTS };

/* A short text kept by value. */
struct id {
    uint8_t bytes[ORD_ID_MAX];
    uint8_t len;
    bool present;
};

/*
 * What fill knows of a live order beyond book and stops: of one that has a place there it is that
 * place's data.
 */
struct live {
    struct hold_order hold; /* side, limit or collar, rates, leaves, hold, fees */
    mr_i128 order_qty;      /* 0 of an order by amount */
    mr_i128 quote_qty;      /* the amount of one, 0 of others */
    mr_i128 cum_qty;
    mr_i128 cum_quote;
    mr_i128 prevented_qty;
    mr_i128 stop_price; /* STOP, STOP_LIMIT */
    int64_t expire_us;  /* GTD */
    int64_t sequence;   /* of arrival at its place */
    int32_t version;
    enum oms_order_type type;
    enum oms_time_in_force tif;
    enum oms_stp_mode stp;
    bool post_only;
    bool triggered; /* a stop that waits no more */
    bool done;      /* by amount: what is left buys less than a lot */
    struct id command_id;
    struct id client_order_id;
    struct id trace_id;
    struct book_order *resting; /* its place: one of these two, or none yet */
    struct stop_order *waiting;
    size_t expiry_place;
};

/* An order as a report shows it; the taker's texts are the command's, a maker's the book's. */
struct party {
    struct mr_slice order_id;
    struct mr_slice user_id;
    struct mr_slice command_id;
    struct mr_slice client_order_id;
    struct mr_slice trace_id;
    bool has_client_order_id;
    bool has_trace_id;
    struct live *live;
};

/* A level by name, to note it as changed again after a rebuild. */
struct level_name {
    mr_i128 price;
    enum ord_side side;
};

struct market {
    uint8_t symbol[SYMBOL_BYTES_MAX];
    size_t symbol_len;
    struct book *book;
    struct stop_book *stops;
    struct heap expiry; /* of struct live, by expire_us: all GTD orders that have a place */
    struct oms_book_state state;
    int64_t published_seq; /* bookSeq of the last delta */
    int64_t noted_seq;     /* bookSeq that changed_us belongs to */
    int64_t changed_us;    /* event time of the last change of the book */
    bool touched;          /* changed since the last transaction that is known to be committed */
    bool listed;           /* an instrument was seen */
    enum instr_state trading;
    mr_i128 market_lot; /* quantities of MARKET orders are multiples of it */
    bool has_range_up;
    bool has_range_down;
    mr_i128 range_up; /* execution range, as multiples of the last price */
    mr_i128 range_down;
    uint8_t base_asset[ASSET_BYTES_MAX];
    uint8_t quote_asset[ASSET_BYTES_MAX];
    size_t base_len;
    size_t quote_len;
};

struct fill {
    uint32_t magic;
    bool loaded;  /* the first reload has been */
    bool stale;   /* a callback failed half-way and nothing has reloaded since */
    bool flushed; /* the next record begins a new transaction */
    struct mr_store *orders;
    struct mr_store *books;
    struct mr_store *instruments;
    struct mr_counter *trades;
    struct mr_counter *rejects;
    struct market **markets; /* ascending by symbol */
    size_t market_count;
    size_t market_capacity;
    struct market *last_market;
    struct oms_book_level *levels[2]; /* by ord_side: scratch of flush */
    size_t level_capacity[2];
    struct level_name *carried; /* scratch of reload */
    size_t carried_capacity;
    struct live **picked; /* scratch of CANCEL_ALL and of the queue of triggered stops */
    size_t picked_count;
    size_t picked_capacity;
    int64_t due_us; /* no order of any market expires before this */
};

/* What a report names as its cause. */
struct cause {
    struct mr_slice command_id;
    struct mr_slice trace_id;
    bool has_trace_id;
};

/* One input record, or the passing of time, on its way through the engine. */
struct call {
    struct fill *fill;
    struct mr_ctx *ctx;
    const struct oms_order_command *command; /* NULL: time has passed */
    struct market *market;                   /* NULL: symbol never seen */
    const struct cause *cause;               /* why orders end now; NULL: of their own */
    int64_t ts_us;                           /* what the reports carry */
    int64_t now_us;                          /* stream time */
};

static inline struct mr_slice market_symbol(const struct market *market)
{
    return mr_slice_of(market->symbol, market->symbol_len);
}

static inline struct dom_text text_of(struct mr_slice slice)
{
    return dom_text_of(slice.data, slice.len);
}

static inline struct mr_slice slice_of(struct dom_text text)
{
    return mr_slice_of(text.data, text.len);
}

/* markets.c: NULL when absent. */
struct market *markets_find(struct fill *fill, struct mr_slice symbol);
struct market *markets_add(struct fill *fill, struct mr_slice symbol);
void market_list(struct market *market, const struct oms_instrument *instrument);
void markets_fini(struct fill *fill);

/*
 * engine.c, amend.c, cancel.c: MR_OK also when the command was refused by a report. POISON and the
 * like leave memory ahead of the stores; the caller marks it stale.
 */
MR_NODISCARD enum mr_status engine_new(struct call *call, struct mr_err *err);
MR_NODISCARD enum mr_status engine_amend(struct call *call, struct mr_err *err);
MR_NODISCARD enum mr_status engine_cancel(struct call *call, struct mr_err *err);
MR_NODISCARD enum mr_status engine_cancel_all(struct call *call, struct mr_err *err);

/* match.c: an accepted, amended or triggered order without a place trades what it can; then it
 * rests, or it is canceled by the reason that stopped it. */
MR_NODISCARD enum mr_status match_work(struct call *call, struct party *taker, struct mr_err *err);

/* execute.c */
struct execution {
    mr_i128 price; /* the maker's */
    mr_i128 qty;
    struct hold_fill maker;
    struct hold_fill taker;
};
/* Takes the match: both orders, book, store, two reports, one trade. */
MR_NODISCARD enum mr_status execute(struct call *call, struct party *taker,
                                    struct book_taker *walker, const struct book_match *match,
                                    struct mr_err *err);
/* Both of one user: lowers both instead, and ends what has nothing left. */
MR_NODISCARD enum mr_status prevent(struct call *call, struct party *taker,
                                    struct book_taker *walker, const struct book_match *match,
                                    struct mr_err *err);
/* Is nothing of it open any more? */
bool live_over(const struct live *live);

/* stops.c: works all stops that the last price triggers, and those that they trigger. */
MR_NODISCARD enum mr_status stops_trigger(struct call *call, struct mr_err *err);

/* expiry.c: ends what expires up to now_us, in all markets. *any: something did. */
MR_NODISCARD enum mr_status expiry_advance(struct fill *fill, struct mr_ctx *ctx, int64_t now_us,
                                           bool *any, struct mr_err *err);

/* orders.c: the open order of this user, NULL when there is none of this id. */
struct live *order_find(const struct market *market, struct mr_slice id, struct mr_slice user);
bool order_is_live(const struct market *market, struct mr_slice id);
/* What is left of an order goes into the book, or a stop among those that wait; and the store. */
MR_NODISCARD enum mr_status order_rest(struct call *call, const struct party *party,
                                       struct mr_err *err);
MR_NODISCARD enum mr_status order_wait(struct call *call, const struct party *party,
                                       struct mr_err *err);
/* The row of an order that has a place. */
MR_NODISCARD enum mr_status order_put(struct call *call, struct live *live, struct mr_err *err);
/* Out of its place and out of the store. What live points to stays readable until another order
 * takes a place of the kind. */
MR_NODISCARD enum mr_status order_remove(struct call *call, struct live *live, struct mr_err *err);
/* The same of one that the book has let go. */
MR_NODISCARD enum mr_status order_forget(struct call *call, struct live *live, struct mr_err *err);
/* Removes it and reports why. */
MR_NODISCARD enum mr_status order_cancel(struct call *call, struct live *live,
                                         enum oms_cancel_reason reason, struct mr_err *err);
/* A GTD order that has a place will expire. */
void order_expires(struct fill *fill, struct market *market, struct live *live);
/* The counters of the book, once per record that moved them. */
MR_NODISCARD enum mr_status state_put(struct call *call, struct mr_err *err);
/* An order by the texts of its place, its command the one that began it. */
struct party party_of(struct live *live);
/* What the report names is this cause; NULL changes nothing. */
void party_cause(struct party *party, const struct cause *cause);
struct id id_of(struct mr_slice text, bool present);
void pick(struct fill *fill, struct live *live);

/* An order that leaves its place to be worked again: a copy, because a new place may take the
 * memory of the old one. */
struct mover {
    struct live live;
    struct id order_id;
    struct id user_id;
};
struct party mover_begin(struct mover *mover, struct live *live);

/* reports.c. Each event takes the next engineSeq, each report the order's next version. */
/* NEW, REPLACED and TRIGGERED: the order as it stands. */
MR_NODISCARD enum mr_status report_state(struct call *call, struct party *order,
                                         enum oms_exec_type what, struct mr_err *err);
MR_NODISCARD enum mr_status report_trade(struct call *call, struct party *taker,
                                         struct party *maker, const struct execution *execution,
                                         struct mr_err *err);
MR_NODISCARD enum mr_status report_prevented(struct call *call, struct party *taker,
                                             struct party *maker, struct mr_err *err);
MR_NODISCARD enum mr_status report_canceled(struct call *call, struct party *order,
                                            enum oms_cancel_reason reason, struct mr_err *err);
/* About the command itself: nothing of it entered the book. */
MR_NODISCARD enum mr_status report_rejected(struct call *call, enum dom_code code,
                                            struct mr_err *err);

/* snapshot.c: one delta and one snapshot of each book that changed. */
MR_NODISCARD enum mr_status snapshot_flush(struct fill *fill, struct mr_ctx *ctx,
                                           struct mr_err *err);

/* reload.c: everything the first time, then what changed since the last commit. */
MR_NODISCARD enum mr_status reload_markets(struct fill *fill, struct mr_err *err);

#endif
