/* error.c -- from librdkafka's codes and flags to ours. */
#include "kafka.h"

static enum mr_status status_of(rd_kafka_resp_err_t code)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* hundreds of codes, few of which decide */
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
        return MR_UNAVAILABLE;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
        return MR_TIMEOUT;
    /* The group has moved on: what was to be committed is somebody else's. */
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
        return MR_TXN_ABORT;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return MR_TOO_LARGE;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return MR_OUT_OF_RANGE;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        return MR_EXISTS;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        return MR_FENCED;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return MR_CONFIG;
    default:
        return MR_LOG_FATAL;
    }
#pragma GCC diagnostic pop
}

enum mr_status kafka_fail(struct mr_err *err, rd_kafka_resp_err_t code, const char *operation,
                          const char *address)
{
    return mr_fail(err, status_of(code), "kafka %s: %s: %s (%s)", address, operation,
                   rd_kafka_err2str(code), rd_kafka_err2name(code));
}

enum mr_status kafka_fail_error(struct mr_err *err, rd_kafka_error_t *error, const char *operation,
                                const char *address)
{
    enum mr_status status = status_of(rd_kafka_error_code(error));

    if (status != MR_FENCED) {
        if (rd_kafka_error_txn_requires_abort(error)) {
            status = MR_TXN_ABORT;
        } else if (rd_kafka_error_is_fatal(error)) {
            status = MR_LOG_FATAL;
        } else if (rd_kafka_error_is_retriable(error)) {
            status = MR_TIMEOUT;
        }
    }
    status =
        mr_fail(err, status, "kafka %s: %s: %s", address, operation, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return status;
}
