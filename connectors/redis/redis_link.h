/* redis_link.h -- one connection, and what a refusal means. Private to connectors/redis. */
#ifndef CONNECTORS_REDIS_LINK_H
#define CONNECTORS_REDIS_LINK_H

#include "redis_url.h"

#include <hiredis/hiredis.h>
#include <stdint.h>

enum redis_fault {
    REDIS_DATA,      /* this record, for ever */
    REDIS_NO_SCRIPT, /* the server forgot the script */
    REDIS_RETRY,     /* the server, for now; and everything that is not known */
    REDIS_FATAL,     /* credentials, rights, configuration */
};

/*
 * Connects, logs in and selects the database.
 * Returns MR_OK | MR_UNAVAILABLE | MR_CONFIG; *link is NULL unless MR_OK.
 */
MR_NODISCARD enum mr_status redis_link_open(const struct redis_url *url, int64_t timeout_us,
                                            redisContext **link, struct mr_err *err);
void redis_link_close(redisContext **link);

/* The connection broke or did not answer: MR_UNAVAILABLE. */
MR_NODISCARD enum mr_status redis_link_fail(const redisContext *link, const char *address,
                                            struct mr_err *err);

enum redis_fault redis_fault_of(const char *text);
/* An error reply that is not NO_SCRIPT as a status. */
MR_NODISCARD enum mr_status redis_refusal(const char *text, const char *address,
                                          struct mr_err *err);

#endif
