/*
 * verify.h -- the proof: reads the topics back and compares them with what was sent.
 *
 * Independent of the pipeline: own arithmetic (load_decimal), own recomputation of candles,
 * balances and positions, own reading of the tape. It shares only the codec and the log port.
 * How: each topic is read once and handed to the checks that need it; then the checks are closed.
 *      A check's source file holds its state, its visitors and its end.
 */
#ifndef MILLRACE_VERIFY_H
#define MILLRACE_VERIFY_H

#include "load_feed.h"
#include "load_manifest.h"
#include "load_tape.h"
#include "verify_map.h"
#include "verify_report.h"
#include "verify_sink.h"

struct verify_outcomes;
struct verify_trades;
struct verify_candles;
struct verify_ledger;
struct verify_positions;
struct verify_book;
struct verify_sinks;

struct verify_options {
    int64_t wait_us;                          /* a read without any record, before giving up */
    const struct verify_documents *documents; /* NULL: not checked */
    const struct verify_keys *keys;           /* NULL: not checked */
};

/* What the checks share. */
struct verify {
    const struct load_env *env;
    const struct load_manifest *manifest;
    const struct verify_options *options;
    struct verify_report *report;
    struct load_tape tape;
};

/* Runs every check. MR_OK also when they differ: see the report. */
MR_NODISCARD enum mr_status verify_run(const struct load_env *env,
                                       const struct load_manifest *manifest,
                                       const struct verify_options *options,
                                       struct verify_report *report, struct mr_err *err);

/* Does this user belong to the run? Everybody does when there is no manifest. */
bool verify_is_user(const struct verify *verify, struct mr_slice user);

/* Was the record written since the run's start? */
bool verify_in_run(const struct verify *verify, const struct load_record *record);

/* One visitor of a topic. */
struct verify_visitor {
    load_visit *visit;
    void *arg;
};

/* verify_outcomes.c: each command exactly one outcome, of the kind and code it must have; counts;
 * dead letters; versions. */
struct verify_outcomes *verify_outcomes_create(struct verify *verify);
load_visit verify_outcomes_on_order;
load_visit verify_outcomes_on_execution;
load_visit verify_outcomes_on_risk_event;
load_visit verify_outcomes_on_dead_letter;
void verify_outcomes_end(struct verify_outcomes **outcomes);

/* verify_trades.c: trades of the run equal the tape; trade ids gapless. */
struct verify_trades *verify_trades_create(struct verify *verify);
load_visit verify_trades_on_trade;
void verify_trades_end(struct verify_trades **trades);

/* verify_candles.c: the last candle of each window equals a recomputation from all trades in the
 * topic. */
struct verify_candles *verify_candles_create(struct verify *verify);
load_visit verify_candles_on_trade;
load_visit verify_candles_on_candle;
void verify_candles_end(struct verify_candles **candles);

/* verify_ledger.c: journals balance, sums are zero, sequences gapless, balances equal their
 * entries. Without a manifest the entries alone are checked. */
struct verify_ledger *verify_ledger_create(struct verify *verify);
load_visit verify_ledger_on_entry;
load_visit verify_ledger_on_balance;
void verify_ledger_end(struct verify_ledger **ledger);

/* verify_positions.c: positions equal the sum of the run's trade reports. */
struct verify_positions *verify_positions_create(struct verify *verify);
load_visit verify_positions_on_execution;
load_visit verify_positions_on_position;
void verify_positions_end(struct verify_positions **positions);

/* verify_book.c: deltas gapless; the last snapshot is empty and as new as the last delta. */
struct verify_book *verify_book_create(struct verify *verify);
load_visit verify_book_on_delta;
load_visit verify_book_on_snapshot;
void verify_book_end(struct verify_book **book);

/* verify_sinks.c: document store and Redis equal the topics. */
struct verify_sinks *verify_sinks_create(struct verify *verify);
load_visit verify_sinks_on_order;
load_visit verify_sinks_on_execution;
load_visit verify_sinks_on_entry;
load_visit verify_sinks_on_position;
load_visit verify_sinks_on_candle;
load_visit verify_sinks_on_unique;
MR_NODISCARD enum mr_status verify_sinks_end(struct verify_sinks **sinks, struct mr_err *err);

#endif
