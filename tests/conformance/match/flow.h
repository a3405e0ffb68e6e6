/*
 * flow.h -- a flow of commands for one book, and the reports that answer it.
 *
 * Why: recorded flows, hand-made cases, random streams, the benchmark and the fuzzer all say the
 *      same few things to a book; said in one form, each can be fed to the other's program.
 * How: the text is that of the public matching-engine benchmark, one line each:
 *
 *          command   seq,msg,side,ioc,qty,order_id,price[,user[,stp]]
 *          report    0,seq,side,id,price,qty      order accepted, before its trades
 *                    1,seq,price,qty,maker,taker  trade, at the maker's price
 *                    2,seq,side,id,price          cancelled: asked for, or the rest of an IOC
 *                    3,seq,side,id,price,qty      modified, after the trades it led to
 *                    4,seq,id                     cancel refused: no such order
 *                    5,seq,id                     modify refused: no such order
 *
 *      msg is N (new), C (cancel), M (modify: cancel and reinsert; qty is the new open quantity).
 *      What the benchmark has no words for is ours: msg A (amend: less at the same price keeps its
 *      place, else as M), F (fill or kill), P (post-only), X (cancel all of a user), user and stp
 *      (T, M, B, D or N by the first letter of what expires; N), and
 *
 *                    6,seq,id                     refused: id rests, impossible, post-only crosses
 *                    7,seq,price,qty,maker,taker  prevented instead of traded (D)
 * Not: no files, no fees, no stops.
 */
#ifndef TESTS_CONFORMANCE_MATCH_FLOW_H
#define TESTS_CONFORMANCE_MATCH_FLOW_H

#include "domain/order_book.h"

#include <stdio.h>

#define FLOW_TEXT_MAX 24
#define FLOW_LINE_MAX 160
/* What one tick and one unit of quantity are in atoms: 0.01 and 0.001. */
#define FLOW_TICK ((dec_t)INT64_C(10000000000000000))
#define FLOW_LOT ((dec_t)INT64_C(1000000000000000))
/* The highest price that the business bound leaves. */
#define FLOW_PRICE_MAX INT64_C(999999999999999999)

enum flow_msg { FLOW_NEW, FLOW_CANCEL, FLOW_MODIFY, FLOW_AMEND, FLOW_FOK, FLOW_POST, FLOW_ALL };

struct flow_command {
    int64_t seq;
    int64_t qty;
    int64_t price;
    int64_t id;
    int64_t user;
    enum flow_msg msg;
    enum ord_side side;
    enum ord_stp stp;
    bool ioc;
    uint8_t id_len;
    uint8_t user_len;
    char id_text[FLOW_TEXT_MAX];
    char user_text[FLOW_TEXT_MAX];
};

enum flow_type {
    FLOW_ACK,
    FLOW_TRADE,
    FLOW_CANCEL_ACK,
    FLOW_MODIFY_ACK,
    FLOW_CANCEL_REJECT,
    FLOW_MODIFY_REJECT,
    FLOW_REJECT,
    FLOW_PREVENTED,
};

struct flow_report {
    enum flow_type type;
    enum ord_side side;
    int64_t seq;
    int64_t id;    /* the order's, or the taker's */
    int64_t maker; /* of a trade */
    dec_t price;
    dec_t qty;
};

/* Grows; the caller frees items. */
struct flow_reports {
    struct flow_report *items;
    size_t count;
    size_t capacity;
};

/* Writes the texts of id and user into the command. */
void flow_texts(struct flow_command *command);

/* A line without its end. False: not a command. */
bool flow_parse(const char *line, struct flow_command *command);

/* The command as a line without its end; returns its length. */
size_t flow_command_text(const struct flow_command *command, char out[FLOW_LINE_MAX]);
size_t flow_report_text(const struct flow_report *report, char out[FLOW_LINE_MAX]);

bool flow_reports_equal(const struct flow_reports *a, const struct flow_reports *b);

/* Ends the program when there is no memory. */
void flow_report_add(struct flow_reports *reports, const struct flow_report *report);

/* --- engine.c: the order book of the domain --- */

struct book *flow_book(void);
void flow_apply(struct book *book, const struct flow_command *command,
                struct flow_reports *reports);
/* The orders that rest, best first, bids then asks: side,id,price,qty in each line. */
void flow_print_book(const struct book *book, FILE *out);

/* --- naive.c: a plain list that is searched from end to end --- */

struct naive_order {
    int64_t id;
    int64_t user;
    int64_t arrival;
    enum ord_side side;
    dec_t price;
    dec_t leaves;
};

struct naive_book {
    struct naive_order *orders;
    size_t count;
    size_t capacity;
    int64_t arrivals;
};

void naive_apply(struct naive_book *book, const struct flow_command *command,
                 struct flow_reports *reports);

/* --- rules.c: what holds for every answer --- */

struct flow_rules {
    int64_t *users; /* of the order that had this id last */
    size_t ids;
};

/* A new flow with ids below this. The caller frees users. */
void flow_rules_start(struct flow_rules *rules, size_t ids);

/* NULL, or which rule the answer to this command breaks. `book` is as it is after the command. */
const char *flow_rules_defect(struct flow_rules *rules, const struct flow_command *command,
                              const struct flow_reports *reports, const struct book *book);

/* --- stream.c: random flows --- */

/* How often what comes; see stream_kinds. */
struct stream_kind {
    const char *name;
    uint64_t prices; /* different prices */
    uint64_t users;
    uint64_t ids; /* ids are drawn from so many: the fewer, the more are used again */
    int cancels;  /* percent */
    bool ceiling; /* prices end at the highest there is */
};

#define STREAM_KINDS 4
extern const struct stream_kind stream_kinds[STREAM_KINDS];

/* Fills commands; the same seed, kind and count give the same ones. */
void stream_fill(uint64_t seed, const struct stream_kind *kind, struct flow_command *commands,
                 size_t count);

#endif
