/*
 * journal.h -- what a task takes in a transaction, and in which order.
 *
 * Why: the outputs of a task follow from its inputs and from the order in which it took them, which
 *      no topic tells: an execution and an order that met in time went in one way or the other. The
 *      journal says which, so that a replay and an oracle can follow the same way.
 * How: steps are noted as they happen: a run of records of one input, a global table that has moved
 *      on, a timer that fired. One record per task (schemas/avro/runtime/Journal.avsc) goes into
 * the transaction at its commit. All tasks of a worker write to one partition, that of the worker's
 *      first task: a partition more in a transaction costs the broker more than the records do. A
 *      task's records are ordered by their sequence, whatever partition they are in.
 * Not: written for at-least-once, where no order outlives a crash.
 */
#ifndef MILLRACE_TASK_JOURNAL_H
#define MILLRACE_TASK_JOURNAL_H

#include "avro/journal.h"
#include "millrace/log.h"

struct task;
struct timer;
struct input;
struct mr_worker;

struct journal {
    struct runtime_journal_source *sources;
    size_t source_count, source_capacity;
    struct runtime_journal_step *steps;
    size_t step_count, step_capacity;
    int64_t sequence; /* of the task's last committed transaction; 0: none */
    /* Positions of the global tables, table by table, partition by partition. */
    int64_t *tables;           /* as noted, this transaction included */
    int64_t *tables_committed; /* as committed records say */
    size_t table_capacity;
    uint64_t tables_version; /* of the worker, when they were last looked at */
};

void journal_fini(struct journal *journal);
/* The record at offset has been taken from the input, whatever became of it. */
void journal_took(struct task *task, struct input *input, int64_t offset);
void journal_fired(struct task *task, const struct timer *timer, int64_t now_us);
/* Sends a record for each touched task. */
MR_NODISCARD enum mr_status journal_send(struct mr_worker *worker, struct mr_err *err);
/* The transaction's outcome. */
void journal_committed(struct task *task);
void journal_dropped(struct task *task);
/* The task opens again: tables are noted anew, the sequence is set by what was committed. */
void journal_reset(struct task *task);

#endif
