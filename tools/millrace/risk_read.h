/*
 * risk_read.h -- what risk knows, from the log: the rows of a user and of all, and the tables.
 *
 * How: the changelog of the risk stage and the topics of its tables are read once, committed
 * records only and without a consumer group; of each key the newest counts. Of the changelog only
 * the user's partition is kept: what is said of all users stands in each.
 */
#ifndef MILLRACE_TOOLS_RISK_READ_H
#define MILLRACE_TOOLS_RISK_READ_H

#include "avro/instrument.h"
#include "avro/price_tick.h"
#include "avro/risk_account.h"
#include "load_feed.h"
#include "millrace/arena.h"

struct risk_rows;

/* What is asked about. */
struct risk_question {
    const struct mr_stage_node *stage; /* of type risk */
    const char *user;
    const char *client_order_id; /* "": the order has none */
    int64_t wait_us;             /* how long nothing may come */
};

/* Returns MR_OK | MR_CONFIG when the stage is not as it must be | what reading returned. */
MR_NODISCARD enum mr_status risk_rows_read(const struct load_env *env,
                                           const struct risk_question *question,
                                           struct risk_rows **rows, struct mr_err *err);
void risk_rows_close(struct risk_rows **rows);

/* NULL: there is no such row. */
const struct oms_risk_account *risk_rows_user(const struct risk_rows *rows);
const struct oms_risk_account *risk_rows_all(const struct risk_rows *rows);
bool risk_rows_client_id_taken(const struct risk_rows *rows);
/* arg: the rows. */
const struct oms_instrument *risk_rows_instrument(void *arg, struct mr_slice symbol);
const struct oms_price_tick *risk_rows_price(void *arg, struct mr_slice symbol);

#endif
