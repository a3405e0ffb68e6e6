/* connect_wait.c -- asking until there is an answer. See connect.h. */
#include "connect.h"

#include <stdlib.h>

#define PAUSE_US (250 * MR_MS_US)
/* A schema id that may or may not be there: either answer is an answer. */
#define PROBE_SCHEMA_ID 1
/* Likewise a topic. */
#define PROBE_TOPIC "millrace-probe"

static enum mr_status ask_log(const struct connection *connection, struct mr_err *err)
{
    int32_t partitions = 0;

    return mr_log_topic_partitions(connection->log, PROBE_TOPIC, &partitions, err);
}

static enum mr_status ask_registry(const struct connection *connection, struct mr_err *err)
{
    struct mr_registry *registry = connection->registry;
    char *json = NULL;
    const enum mr_status status =
        registry->ops->schema_by_id(registry, PROBE_SCHEMA_ID, &json, err);

    if (status == MR_OK) {
        free(json);
    }
    return status == MR_SCHEMA_UNKNOWN ? MR_OK : status;
}

/* An address without user and password, into a buffer. */
static const char *without_credentials(const char *url, char *buffer, size_t bytes)
{
    const char *host = strstr(url, "://");
    const char *start = host != NULL ? host + 3 : url;
    const size_t authority = strcspn(start, "/?#");
    const char *at = NULL;

    for (size_t i = 0; i < authority; i++) {
        at = start[i] == '@' ? start + i : at;
    }
    const char *scheme = strncmp(url, "https:", 6) == 0 ? "https://" : "http://";

    (void)snprintf(buffer, bytes, "%s%.120s", scheme, at != NULL ? at + 1 : start);
    return buffer;
}

struct wait {
    int64_t deadline_us; /* monotonic */
    int64_t wait_us;
    const struct mr_clock *clock;
    FILE *progress;
};

static enum mr_status wait_for(const struct wait *wait, const struct connection *connection,
                               enum mr_status (*ask)(const struct connection *, struct mr_err *),
                               const char *address, struct mr_err *err)
{
    bool said = false;

    for (;;) {
        struct mr_err reason = {0};
        char text[64];
        const enum mr_status status = ask(connection, &reason);

        if (status == MR_OK) {
            return MR_OK;
        }
        if (mr_status_class(status) != MR_CLASS_RETRY) {
            return mr_fail(err, status, "%s: %.300s", address, reason.text);
        }
        if (mr_clock_monotonic_us(wait->clock) >= wait->deadline_us) {
            return mr_fail(err, MR_UNAVAILABLE, "%.100s did not answer within %s: %.200s", address,
                           mr_format_duration(wait->wait_us, text, sizeof(text)), reason.text);
        }
        if (!said && wait->progress != NULL) {
            (void)fprintf(wait->progress, "waiting for %s, at most %s\n", address,
                          mr_format_duration(wait->wait_us, text, sizeof(text)));
        }
        said = true;
        mr_clock_wait_us(wait->clock, PAUSE_US);
    }
}

enum mr_status connection_wait(const struct connection *connection, const char *registry_url,
                               int64_t wait_us, const struct mr_clock *clock, FILE *progress,
                               struct mr_err *err)
{
    const struct wait wait = {.deadline_us = mr_clock_monotonic_us(clock) + wait_us,
                              .wait_us = wait_us,
                              .clock = clock,
                              .progress = progress};
    char address[200];

    if (connection->log != NULL) {
        (void)snprintf(address, sizeof(address), "log %s", mr_log_address(connection->log));
        MR_TRY(wait_for(&wait, connection, ask_log, address, err));
    }
    if (connection->registry != NULL) {
        char url[160];
        (void)snprintf(address, sizeof(address), "schema registry %s",
                       without_credentials(registry_url, url, sizeof(url)));
        MR_TRY(wait_for(&wait, connection, ask_registry, address, err));
    }
    return MR_OK;
}
