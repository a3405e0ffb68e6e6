/* connect.c -- Kafka and the HTTP registry behind one pair of calls. See connect.h. */
#include "connect.h"

#include "connectors/registry/registry_http.h"
#include "millrace/log_open.h"

enum mr_status connection_open(const struct mr_topology *topology, struct connection *connection,
                               struct mr_err *err)
{
    enum mr_status status = MR_OK;
    bool bootstrap = false;

    *connection = (struct connection){0};
    for (size_t i = 0; i < topology->kafka_count; i++) {
        bootstrap = bootstrap || strcmp(topology->kafka[i].name, "bootstrap.servers") == 0;
    }
    if (!bootstrap || topology->registry_url == NULL) {
        return mr_fail(err, MR_CONFIG, "%s names no %s", topology->file,
                       bootstrap ? "registry: {url: ...}" : "kafka: {bootstrap.servers: ...}");
    }
    status = mr_log_kafka_open(topology->kafka, topology->kafka_count, &connection->log, err);
    if (status != MR_OK) {
        goto out;
    }
    status = mr_registry_http_create(topology->registry_url, &connection->registry, err);
    if (status != MR_OK) {
        goto out;
    }
    connection->codec = mr_codec_create(connection->registry);
out:
    if (status != MR_OK) {
        connection_close(connection);
    }
    return status;
}

enum mr_status connection_reach(const struct mr_topology *topology, int64_t wait_us,
                                struct connection *connection, struct mr_err *err)
{
    MR_TRY(connection_open(topology, connection, err));
    return connection_wait(connection, topology->registry_url, wait_us, mr_clock_system(), stderr,
                           err);
}

void connection_close(struct connection *connection)
{
    mr_codec_destroy(&connection->codec);
    mr_registry_destroy(&connection->registry);
    if (connection->log != NULL) {
        mr_log_close(&connection->log);
    }
}
