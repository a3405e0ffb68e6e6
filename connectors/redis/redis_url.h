/* redis_url.h -- redis://[user[:password]@]host[:port][/number]. Private to connectors/redis. */
#ifndef CONNECTORS_REDIS_URL_H
#define CONNECTORS_REDIS_URL_H

#include "millrace/status.h"

#define REDIS_URL_PART_MAX 512

struct redis_url {
    char user[REDIS_URL_PART_MAX];     /* "" without one */
    char password[REDIS_URL_PART_MAX]; /* "" without one */
    char host[REDIS_URL_PART_MAX];
    int port;
    int database;
    char address[REDIS_URL_PART_MAX + 16]; /* host:port, for messages */
};

/*
 * User and password may be percent-encoded; the host may be an IPv6 address in brackets.
 * Returns MR_OK | MR_CONFIG; the text never repeats the URL, which may hold a password.
 */
MR_NODISCARD enum mr_status redis_url_parse(const char *text, struct redis_url *url,
                                            struct mr_err *err);

#endif
