/*
 * engine.h -- what the files of fill share.
 *
 *   fill.c       table of the stage, dispatch of a record, life
 *   engine.c     NEW and CANCEL: checks, matching, what becomes of the rest
 *   execute.c    one trade between two orders; an order enters or leaves the book and the store
 *   reports.c    execution reports and trades
 *   markets.c    symbols: book, counters, instrument
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
#include "domain/hold.h"
#include "domain/instrument.h"
#include "domain/order_book.h"
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

/* What fill knows of a live order beyond the book: of a resting one it is the book's data. */
struct live {
    struct hold_order hold; /* side, limit or collar, rates, leaves, hold, fees */
    mr_i128 order_qty;
    mr_i128 cum_qty;
    mr_i128 cum_quote;
    mr_i128 prevented_qty;
    int32_t version;
    enum oms_order_type type;
    enum oms_time_in_force tif;
    enum oms_stp_mode stp;
    bool post_only;
    struct id command_id;
    struct id client_order_id;
    struct id trace_id;
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
    struct oms_book_state state;
    int64_t published_seq; /* bookSeq of the last delta */
    int64_t changed_us;    /* event time of the last change of the book */
    bool touched;          /* changed since the last transaction that is known to be committed */
    bool listed;           /* an instrument was seen */
    enum instr_state trading;
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
};

/* One input record on its way through the engine. */
struct call {
    struct fill *fill;
    struct mr_ctx *ctx;
    const struct mr_record *record;
    const struct oms_order_command *command;
    struct market *market; /* NULL: symbol never seen */
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
 * engine.c: MR_OK also when the order was refused by a report. POISON and the like leave memory
 * ahead of the stores; the caller marks it stale.
 */
MR_NODISCARD enum mr_status engine_new(struct call *call, struct mr_err *err);
MR_NODISCARD enum mr_status engine_cancel(struct call *call, struct mr_err *err);

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
/* What is left of the taker goes into book and store. */
MR_NODISCARD enum mr_status order_rest(struct call *call, const struct party *taker,
                                       struct mr_err *err);
/* Takes a resting order out of book and store and reports why. */
MR_NODISCARD enum mr_status order_cancel(struct call *call, struct book_order *order,
                                         enum oms_cancel_reason reason, struct mr_err *err);
/* The counters of the book, once per record that moved them. */
MR_NODISCARD enum mr_status state_put(struct call *call, struct mr_err *err);
struct party party_of(struct book_order *order);
struct id id_of(struct mr_slice text, bool present);

/* reports.c. Each event takes the next engineSeq, each report the order's next version. */
MR_NODISCARD enum mr_status report_accepted(struct call *call, struct party *order,
                                            struct mr_err *err);
MR_NODISCARD enum mr_status report_trade(struct call *call, struct party *taker,
                                         struct party *maker, const struct execution *execution,
                                         struct mr_err *err);
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
