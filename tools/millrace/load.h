/*
 * load.h -- plays recorded trades as orders and writes down what must come of them.
 *
 * Phases: wait until the pipeline is idle; publish instruments and prices; probe every symbol with
 * one order until the tables have arrived everywhere; take off the books what an interrupted run
 * left there; note the ends of all topics; deposit; send; wait for the outcomes; write the
 * manifest. A run has users and ids of its own, so runs do not disturb each other. Thread: one,
 * plus one that watches the outcomes unless env->pump is set.
 */
#ifndef MILLRACE_LOAD_H
#define MILLRACE_LOAD_H

#include "load_feed.h"
#include "load_manifest.h"
#include "load_out.h"
#include "load_plan.h"

#include <signal.h>

struct load_options {
    const char *tape;
    struct load_tape_filter filter;
    const char *instruments; /* JSON lines of Instrument */
    const char *run;         /* NULL: made from the clock */
    struct load_shares shares;
    int64_t users_each; /* makers, and as many takers, of a symbol */
    int64_t rate_micro; /* records per 1e6 s; 0: no limit */
    int64_t speed_ppm;  /* of the tape's own pace; 0: as fast as it goes */
    int64_t seed;
    int64_t collar_ppm; /* what risk's price-collar is */
    int64_t linger_us;
    int64_t wait_us; /* without any progress, before giving up */
    /* Set to not 0 from a signal handler: no further trade is played, and the manifest says how
     * many were. NULL: nobody asks. */
    const volatile sig_atomic_t *stop;
};

/* Everything a run holds; shared by the load_*.c of its phases. */
struct load_session {
    const struct load_env *env;
    const struct load_options *options;
    char run[LOAD_RUN_BYTES_MAX];
    struct load_tape tape;
    struct load_desk desks[LOAD_SYMBOLS_MAX];
    struct load_out out;
    int64_t first_ts_us; /* of the tape */
    int64_t probes;      /* sent so far, to name them */
};

/*
 * manifest is filled in; free it with load_manifest_fini. *missing: commands without outcome when
 * the time was up.
 */
MR_NODISCARD enum mr_status load_run(const struct load_env *env, const struct load_options *options,
                                     struct load_manifest *manifest, int64_t *missing,
                                     struct mr_err *err);

/* load_setup.c: desks from the instruments file; publishing instruments and prices. */
MR_NODISCARD enum mr_status load_setup_desks(struct load_session *session, struct mr_err *err);
/* load_fund.c: limits and deposits of the users of all desks (or only the probes); waits until
 * `balances` show them. */
MR_NODISCARD enum mr_status load_fund(struct load_session *session, bool probes,
                                      struct mr_err *err);
/* load_probe.c: one harmless order for each symbol until it gets through. */
MR_NODISCARD enum mr_status load_probe(struct load_session *session, struct mr_err *err);
/* load_sweep.c: empties the books. */
MR_NODISCARD enum mr_status load_sweep(struct load_session *session, struct mr_err *err);
/* load_send.c: the orders of the tape; waits for their outcomes. */
MR_NODISCARD enum mr_status load_send(struct load_session *session, struct load_manifest *manifest,
                                      int64_t *missing, struct mr_err *err);

/* An order of the probe user, outside the proof. */
struct load_probe_order {
    enum oms_side side;
    mr_i128 price; /* 0: MARKET */
    mr_i128 qty;
};

/* event_id: LOAD_ID_BYTES_MAX bytes that receive the command's identity. */
MR_NODISCARD enum mr_status load_send_probe(struct load_session *session,
                                            const struct load_desk *desk,
                                            const struct load_probe_order *order, char *event_id,
                                            struct mr_err *err);

#endif
