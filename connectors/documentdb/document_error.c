/*
 * document_error.c -- see document_error.h.
 *
 * Only codes that certainly speak about one document's content make it a dead letter: a connector
 * that calls an outage a data error drops a whole partition into its dead-letter topic.
 */
#include "document_error.h"

#include <mongoc/mongoc.h>

static const struct {
    int32_t code;
    enum document_fault fault;
} CODES[] = {
    {11000, DOCUMENT_DUPLICATE}, /* DuplicateKey, and its older names */
    {11001, DOCUMENT_DUPLICATE}, {12582, DOCUMENT_DUPLICATE}, {2, DOCUMENT_DATA}, /* BadValue */
    {14, DOCUMENT_DATA},                                                          /* TypeMismatch */
    {22, DOCUMENT_DATA},                                                          /* InvalidBSON */
    {52, DOCUMENT_DATA},                               /* DollarPrefixedFieldName */
    {121, DOCUMENT_DATA},                              /* DocumentValidationFailure */
    {10334, DOCUMENT_DATA},                            /* BSONObjectTooLarge */
    {17280, DOCUMENT_DATA},                            /* KeyTooLong */
    {17419, DOCUMENT_DATA},                            /* the update would make it too large */
    {17420, DOCUMENT_DATA},      {11, DOCUMENT_FATAL}, /* UserNotFound */
    {13, DOCUMENT_FATAL},                              /* Unauthorized */
    {18, DOCUMENT_FATAL},                              /* AuthenticationFailed */
    {20, DOCUMENT_FATAL},   /* IllegalOperation: retryable writes on a server without them */
    {59, DOCUMENT_FATAL},   /* CommandNotFound */
    {72, DOCUMENT_FATAL},   /* InvalidOptions */
    {73, DOCUMENT_FATAL},   /* InvalidNamespace */
    {79, DOCUMENT_FATAL},   /* UnknownReplWriteConcern */
    {85, DOCUMENT_FATAL},   /* IndexOptionsConflict */
    {86, DOCUMENT_FATAL},   /* IndexKeySpecsConflict */
    {166, DOCUMENT_FATAL},  /* CommandNotSupportedOnView */
    {8000, DOCUMENT_FATAL}, /* AtlasError: credentials */
};

enum document_fault document_fault_of(int32_t code)
{
    for (size_t i = 0; i < MR_COUNT(CODES); i++) {
        if (CODES[i].code == code) {
            return CODES[i].fault;
        }
    }
    return DOCUMENT_RETRY;
}

enum mr_status document_fail_code(int32_t code, const char *text, const char *address,
                                  struct mr_err *err)
{
    if (document_fault_of(code) == DOCUMENT_FATAL) {
        return mr_fail(err, MR_CONFIG, "document store %s refuses (%d): %.250s", address, (int)code,
                       text);
    }
    return mr_fail(err, MR_UNAVAILABLE, "document store %s (%d): %.250s", address, (int)code, text);
}

enum mr_status document_fail(const bson_error_t *error, const char *address, struct mr_err *err)
{
    const uint32_t domain = error->domain;
    const bool refused = (domain == MONGOC_ERROR_CLIENT &&
                          error->code == (uint32_t)MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
                         (domain == MONGOC_ERROR_PROTOCOL &&
                          error->code == (uint32_t)MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION) ||
                         domain == MONGOC_ERROR_SASL || domain == MONGOC_ERROR_SCRAM;

    if (domain == MONGOC_ERROR_SERVER || domain == MONGOC_ERROR_WRITE_CONCERN) {
        return document_fail_code((int32_t)error->code, error->message, address, err);
    }
    if (refused) {
        return mr_fail(err, MR_CONFIG, "document store %s refuses: %.250s", address,
                       error->message);
    }
    return mr_fail(err, MR_UNAVAILABLE, "document store %s does not answer: %.250s", address,
                   error->message);
}
