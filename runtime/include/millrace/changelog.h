/*
 * changelog.h -- how the stores of a stage share one changelog topic.
 *
 * Why: a transaction registers, writes and marks every partition it touches, and each costs the
 *      broker about the same however few records are in it. So a stage has one changelog, and not
 *      one for each of its stores.
 * How: the key of a record is the store's name, 0x00, the key in the store. The value is the
 *      store's framed value, whose schema id names its schema; each schema has a subject of its own
 *      (`<topic>-<record name>`, what Confluent calls TopicRecordNameStrategy).
 */
#ifndef MILLRACE_CHANGELOG_H
#define MILLRACE_CHANGELOG_H

#include "millrace/stage.h"

#define MR_STORE_NAME_BYTES_MAX ((size_t)64)
#define MR_CHANGELOG_KEY_BYTES_MAX (MR_STORE_NAME_BYTES_MAX + 1 + MR_STORE_KEY_BYTES_MAX)

/* Writes the record key; returns its length. */
size_t mr_changelog_key(const struct mr_store_spec *store, struct mr_slice key,
                        uint8_t out[MR_CHANGELOG_KEY_BYTES_MAX]);
/*
 * Index of the stage's store that a record key belongs to, SIZE_MAX when it is none of them;
 * *key: the key in the store, borrowed from record_key.
 */
size_t mr_changelog_store(const struct mr_stage *type, struct mr_slice record_key,
                          struct mr_slice *key);

#endif
