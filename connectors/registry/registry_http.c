/*
 * registry_http.c -- the eight requests Millrace makes of a schema registry.
 *
 * Why: producers, topology checks and the codec need ids, texts and compatibility from the server
 * that the other clients use. How: http_client.c makes a request and maps what the transport can do
 * wrong; here are paths, bodies and the meaning of each answer. Not: a cache. The codec remembers
 * ids; registration happens at start.
 */
#include "connectors/registry/registry_http.h"

#include "http_client.h"
#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_OK 200
#define HTTP_NOT_FOUND 404
#define HTTP_CONFLICT 409

struct http_registry {
    struct mr_registry base;
    struct http_client *client;
};

static struct http_registry *self_of(struct mr_registry *registry)
{
    return (struct http_registry *)registry;
}

/* One request; the answer's JSON in *json (NULL when it is none), the caller's to json_decref. */
static enum mr_status call(struct mr_registry *registry, const struct http_request *request,
                           long *code, json_t **json, struct mr_err *err)
{
    struct mr_buffer answer = MR_BUFFER_EMPTY;
    enum mr_status status =
        http_client_call(self_of(registry)->client, request, &answer, code, err);

    *json = NULL;
    if (status == MR_OK && answer.len > 0) {
        *json = json_loadb((const char *)answer.data, answer.len, 0, NULL);
    }
    mr_buffer_fini(&answer);
    return status;
}

/* An answer other than the wanted one, in the server's own words. */
static enum mr_status refused(struct mr_registry *registry, const struct http_request *request,
                              long code, json_t *json, struct mr_err *err)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    const enum mr_status status = code == HTTP_NOT_FOUND  ? MR_SCHEMA_UNKNOWN
                                  : code == HTTP_CONFLICT ? MR_EXISTS
                                                          : MR_CONFIG;

    return mr_fail(err, status, "schema registry %s: %s %s: HTTP %ld: %.160s",
                   http_client_address(self_of(registry)->client), request->method, request->path,
                   code, message == NULL ? "no explanation" : message);
}

/*
 * {"schema": json}, malloc'd; NULL for what is no UTF-8. White space goes: servers that compare
 * texts would give the same schema a second id.
 */
static char *schema_body(const char *json)
{
    json_t *parsed = json_loads(json, JSON_DECODE_ANY, NULL);
    char *compact = parsed == NULL ? NULL : json_dumps(parsed, JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *body = json_pack("{s:s}", "schema", compact == NULL ? json : compact);
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);

    json_decref(body);
    free(compact);
    json_decref(parsed);
    return text;
}

/* POST of a schema to path; reads the integer member of the answer. */
static enum mr_status post_schema(struct mr_registry *registry, const char *path, const char *json,
                                  int32_t *id, struct mr_err *err)
{
    char *body = schema_body(json);
    struct http_request request = {.method = "POST", .path = path, .body = body};
    json_t *answer = NULL;
    json_t *member = NULL;
    long code = 0;
    enum mr_status status = MR_OK;

    if (body == NULL) {
        return mr_fail(err, MR_CONFIG, "the schema is not UTF-8 text");
    }
    status = call(registry, &request, &code, &answer, err);
    member = json_object_get(answer, "id");
    if (status == MR_OK &&
        (code != HTTP_OK || !json_is_integer(member) || json_integer_value(member) < 0 ||
         json_integer_value(member) > INT32_MAX)) {
        status = refused(registry, &request, code, answer, err);
    } else if (status == MR_OK) {
        *id = (int32_t)json_integer_value(member);
    }
    json_decref(answer);
    free(body);
    return status;
}

/* "/subjects/<escaped>/versions" and its like; the caller's to free. */
static char *subject_path(struct mr_registry *registry, const char *before, const char *subject,
                          const char *after)
{
    char *escaped = http_client_escape(self_of(registry)->client, subject);
    struct mr_buffer path = MR_BUFFER_EMPTY;
    char *text = NULL;

    mr_buffer_printf(&path, "%s%s%s", before, escaped, after);
    mr_buffer_append(&path, "", 1);
    text = mr_xstrdup((const char *)path.data);
    mr_buffer_fini(&path);
    free(escaped);
    return text;
}

static enum mr_status http_register(struct mr_registry *registry, const char *subject,
                                    const char *json, int32_t *id, struct mr_err *err)
{
    char *path = subject_path(registry, "/subjects/", subject, "/versions");
    enum mr_status status = post_schema(registry, path, json, id, err);

    free(path);
    return status;
}

static enum mr_status http_lookup(struct mr_registry *registry, const char *subject,
                                  const char *json, int32_t *id, struct mr_err *err)
{
    char *path = subject_path(registry, "/subjects/", subject, "");
    enum mr_status status = post_schema(registry, path, json, id, err);

    free(path);
    return status;
}

/* GET of path; the text in the member `schema` of the answer, malloc'd. */
static enum mr_status get_schema(struct mr_registry *registry, const char *path, char **json,
                                 struct mr_err *err)
{
    struct http_request request = {.method = "GET", .path = path};
    json_t *answer = NULL;
    const char *text = NULL;
    long code = 0;
    enum mr_status status = MR_OK;

    *json = NULL;
    status = call(registry, &request, &code, &answer, err);
    text = json_string_value(json_object_get(answer, "schema"));
    if (status == MR_OK && (code != HTTP_OK || text == NULL)) {
        status = refused(registry, &request, code, answer, err);
    } else if (status == MR_OK) {
        *json = mr_xstrdup(text);
    }
    json_decref(answer);
    return status;
}

static enum mr_status http_schema_by_id(struct mr_registry *registry, int32_t id, char **json,
                                        struct mr_err *err)
{
    char path[48];

    (void)snprintf(path, sizeof(path), "/schemas/ids/%d", (int)id);
    return get_schema(registry, path, json, err);
}

static enum mr_status http_schema_of_version(struct mr_registry *registry, const char *subject,
                                             int32_t version, char **json, struct mr_err *err)
{
    char end[32];

    (void)snprintf(end, sizeof(end), "/versions/%d", (int)version);
    char *path = subject_path(registry, "/subjects/", subject, end);
    const enum mr_status status = get_schema(registry, path, json, err);
    free(path);
    return status;
}

static int compare_versions(const void *left, const void *right)
{
    const int32_t a = *(const int32_t *)left;
    const int32_t b = *(const int32_t *)right;

    return a < b ? -1 : a > b;
}

/* The numbers of a JSON array, in order; false when it holds anything else. */
static bool read_versions(json_t *answer, int32_t **versions, size_t *count)
{
    json_t *item = NULL;
    size_t index = 0;

    *count = json_array_size(answer);
    *versions = mr_xcalloc(*count + 1, sizeof(**versions));
    json_array_foreach(answer, index, item)
    {
        if (!json_is_integer(item) || json_integer_value(item) < 1 ||
            json_integer_value(item) > INT32_MAX) {
            free(*versions);
            *versions = NULL;
            return false;
        }
        (*versions)[index] = (int32_t)json_integer_value(item);
    }
    qsort(*versions, *count, sizeof(**versions), compare_versions);
    return true;
}

static enum mr_status http_versions(struct mr_registry *registry, const char *subject,
                                    int32_t **versions, size_t *count, struct mr_err *err)
{
    char *path = subject_path(registry, "/subjects/", subject, "/versions");
    struct http_request request = {.method = "GET", .path = path};
    json_t *answer = NULL;
    long code = 0;
    enum mr_status status = call(registry, &request, &code, &answer, err);

    *versions = NULL;
    *count = 0;
    if (status == MR_OK && code != HTTP_NOT_FOUND &&
        (code != HTTP_OK || !json_is_array(answer) || !read_versions(answer, versions, count))) {
        status = refused(registry, &request, code, answer, err);
    }
    json_decref(answer);
    free(path);
    return status;
}

static enum mr_status http_compatible(struct mr_registry *registry, const char *subject,
                                      const char *json, bool *compatible, struct mr_err *err)
{
    char *path = subject_path(registry, "/compatibility/subjects/", subject, "/versions/latest");
    char *body = schema_body(json);
    struct http_request request = {.method = "POST", .path = path, .body = body};
    json_t *answer = NULL;
    json_t *member = NULL;
    long code = 0;
    enum mr_status status = MR_OK;

    if (body == NULL) {
        status = mr_fail(err, MR_CONFIG, "the schema is not UTF-8 text");
        goto out;
    }
    status = call(registry, &request, &code, &answer, err);
    if (status != MR_OK) {
        goto out;
    }
    member = json_object_get(answer, "is_compatible");
    if (code == HTTP_NOT_FOUND) {
        /* The subject is new. */
        *compatible = true;
    } else if (code == HTTP_OK && json_is_boolean(member)) {
        *compatible = json_is_true(member);
    } else {
        status = refused(registry, &request, code, answer, err);
    }
out:
    json_decref(answer);
    free(body);
    free(path);
    return status;
}

/* Checked here, because Apicurio answers an unknown level with 500, as if it were in trouble. */
static enum mr_status check_level(const char *subject, const char *level, struct mr_err *err)
{
    static const char *const LEVELS[] = {
        "NONE", "BACKWARD",        "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE",
        "FULL", "FULL_TRANSITIVE",
    };

    for (size_t i = 0; i < MR_COUNT(LEVELS); i++) {
        if (strcmp(LEVELS[i], level) == 0) {
            return MR_OK;
        }
    }
    return mr_fail(err, MR_CONFIG, "subject %s: %s is no compatibility level; BACKWARD is one",
                   subject, level);
}

static enum mr_status put_level(struct mr_registry *registry, const char *subject,
                                const char *level, struct mr_err *err)
{
    char *path = subject_path(registry, "/config/", subject, "");
    json_t *body = json_pack("{s:s}", "compatibility", level);
    char *text = body == NULL ? mr_xstrdup("{}") : json_dumps(body, JSON_COMPACT);
    struct http_request request = {.method = "PUT", .path = path, .body = text};
    json_t *answer = NULL;
    long code = 0;
    enum mr_status status = call(registry, &request, &code, &answer, err);

    if (status == MR_OK && code != HTTP_OK) {
        status = refused(registry, &request, code, answer, err);
    }
    json_decref(answer);
    json_decref(body);
    free(text);
    free(path);
    return status;
}

/* A server with a level of its own for all subjects may keep to that under NONE (Apicurio does). */
static enum mr_status http_set_compatibility(struct mr_registry *registry, const char *subject,
                                             const char *level, struct mr_err *err)
{
    MR_TRY(check_level(subject, level, err));
    return put_level(registry, subject, level, err);
}

static void http_destroy(struct mr_registry *registry)
{
    struct http_registry *http = self_of(registry);

    http_client_destroy(&http->client);
    free(http);
}

enum mr_status mr_registry_http_create(const char *url, struct mr_registry **registry,
                                       struct mr_err *err)
{
    static const struct mr_registry_ops OPS = {
        .register_schema = http_register,
        .lookup = http_lookup,
        .schema_by_id = http_schema_by_id,
        .compatible = http_compatible,
        .versions = http_versions,
        .schema_of_version = http_schema_of_version,
        .set_compatibility = http_set_compatibility,
        .destroy = http_destroy,
    };
    struct http_client *client = NULL;
    struct http_registry *http = NULL;

    *registry = NULL;
    MR_TRY(http_client_create(url, &client, err));
    http = mr_xcalloc(1, sizeof(*http));
    http->base.ops = &OPS;
    http->client = client;
    *registry = &http->base;
    return MR_OK;
}
