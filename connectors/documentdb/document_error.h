/* document_error.h -- what a refusal of the document store means. Private to connectors/documentdb.
 */
#ifndef CONNECTORS_DOCUMENT_ERROR_H
#define CONNECTORS_DOCUMENT_ERROR_H

#include "millrace/status.h"

#include <bson/bson.h>

enum document_fault {
    DOCUMENT_DUPLICATE, /* the identity is taken */
    DOCUMENT_DATA,      /* this document, for ever */
    DOCUMENT_RETRY,     /* the server, for now */
    DOCUMENT_FATAL,     /* credentials, rights, configuration */
};

/* Class of a server's error code. What is not known is RETRY: a stopped sink is seen and loses
 * nothing. */
enum document_fault document_fault_of(int32_t code);

/* A failed call that says nothing about single documents: MR_UNAVAILABLE or MR_CONFIG. */
MR_NODISCARD enum mr_status document_fail(const bson_error_t *error, const char *address,
                                          struct mr_err *err);

/* The same for the code of a server. */
MR_NODISCARD enum mr_status document_fail_code(int32_t code, const char *text, const char *address,
                                               struct mr_err *err);

#endif
