/*
 * Goal:   the Kafka log passes the contract of logs on a real broker.
 * Method: the shared suite against KAFKA_BOOTSTRAP. Without a broker this fails: a suite that
 *         skips itself proves nothing.
 */
#include "contract.h"
#include "millrace/log_open.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_log *open_kafka(void)
{
    const struct mr_topic_config property = {"bootstrap.servers", getenv("KAFKA_BOOTSTRAP")};
    struct mr_log *log = NULL;
    struct mr_err err = {0};

    expect_ok(mr_log_kafka_open(&property, 1, &log, &err), &err);
    return log;
}

int main(void)
{
    if (getenv("KAFKA_BOOTSTRAP") == NULL) {
        (void)fprintf(stderr, "test_log_kafka: KAFKA_BOOTSTRAP is not set (make stack-up)\n");
        return EXIT_FAILURE;
    }
    return log_contract_run("log kafka", open_kafka);
}
