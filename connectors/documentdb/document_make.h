/*
 * document_make.h -- filters, documents and updates of one coalesced entry. Private to
 * connectors/documentdb.
 *
 * Each function initialises its first argument, also when it fails; the caller destroys it.
 */
#ifndef CONNECTORS_DOCUMENT_MAKE_H
#define CONNECTORS_DOCUMENT_MAKE_H

#include "coalesce.h"
#include "document_plan.h"
#include "millrace/record.h"

#include <bson/bson.h>

/* The stored document of the entry, if it is older. */
void document_filter(bson_t *filter, enum document_mode mode, const struct coalesced *entry);
/* The stored document of the entry, unless it is of a later record than the tombstone. */
void document_delete_filter(bson_t *filter, const struct coalesced *entry,
                            const struct mr_record *record);

/* The whole document: what ONCE, COMMAND and LATEST leave when nothing was there. */
MR_NODISCARD enum mr_status document_whole(bson_t *document, const struct mr_schema *schema,
                                           const struct document_plan *plan,
                                           const struct coalesced *entry,
                                           const struct mr_record *record, struct mr_err *err);
/* {$set: the command} for an order whose state came first. */
MR_NODISCARD enum mr_status document_command_update(bson_t *update, const struct mr_schema *schema,
                                                    const struct document_plan *plan,
                                                    const struct mr_record *record,
                                                    struct mr_err *err);
/* {$set: the state, $setOnInsert: whose state it is} for an order whose command may not have come.
 */
MR_NODISCARD enum mr_status document_state_update(bson_t *update, const struct mr_schema *schema,
                                                  const struct document_plan *plan,
                                                  const struct mr_record *record,
                                                  struct mr_err *err);

#endif
