/*
 * client.h -- one order: sent to `orders`, followed on `executions`.
 *
 * Works on any mr_log and mr_registry: the program gives it Kafka and the HTTP registry, its test
 * the ones in memory. Thread: one.
 */
#ifndef CLIENTS_CLIENT_H
#define CLIENTS_CLIENT_H

#include "avro/execution_report.h"
#include "avro/order_command.h"
#include "millrace/clock.h"
#include "millrace/codec.h"
#include "millrace/log.h"

struct client;

struct client_options {
    struct mr_log *log;
    struct mr_registry *registry;
    const struct mr_clock *clock;
    const char *user;
    int64_t timeout_us; /* of the whole: sending, and following to the end */
};

/*
 * Looks up under which ids the registry knows our schemas (it registers nothing), and stands at the
 * end of the user's partition of `executions`, at its beginning when from_start.
 * Everything in options is borrowed. Errors: MR_CONFIG, MR_UNAVAILABLE, MR_SCHEMA_UNKNOWN.
 */
MR_NODISCARD enum mr_status client_open(const struct client_options *options, bool from_start,
                                        struct client **client, struct mr_err *err);
/* Returns when the command is in the log, idempotently. */
MR_NODISCARD enum mr_status
client_send(struct client *client, const struct oms_order_command *command, struct mr_err *err);

typedef void client_report_fn(void *arg, const struct oms_execution_report *report);
/*
 * Shows each report of the order, in order, until the last one. *status is that of the last report
 * shown. MR_TIMEOUT names the order and how far it came.
 */
MR_NODISCARD enum mr_status client_follow(struct client *client, const char *order_id,
                                          client_report_fn *show, void *arg,
                                          enum oms_order_status *status, struct mr_err *err);
void client_close(struct client **client);

#endif
