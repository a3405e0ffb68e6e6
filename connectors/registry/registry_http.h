/*
 * registry_http.h -- a Confluent-compatible schema registry over HTTP.
 */
#ifndef CONNECTORS_REGISTRY_HTTP_H
#define CONNECTORS_REGISTRY_HTTP_H

#include "millrace/registry.h"

/*
 * url   where /subjects stands: "http://host:8081" for Confluent's own server,
 *       "http://host:8081/apis/ccompat/v7" for Apicurio. http or https; user:password@ is used and
 *       never printed. Copied.
 * Returns MR_OK | MR_CONFIG. Connects to nothing: the first call does.
 * The result's calls come from any thread; each waits at most 15 seconds for the server.
 */
MR_NODISCARD enum mr_status mr_registry_http_create(const char *url, struct mr_registry **registry,
                                                    struct mr_err *err);

#endif
