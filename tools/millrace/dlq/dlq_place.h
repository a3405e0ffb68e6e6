/*
 * dlq_place.h -- at which byte of a value its decoding fails.
 *
 * The generated decoders say which field and why; this one walks the field table to say where.
 */
#ifndef MILLRACE_DLQ_PLACE_H
#define MILLRACE_DLQ_PLACE_H

#include "millrace/buffer.h"
#include "millrace/schema.h"

/*
 * framed: with its wire header, written with that schema. Returns the byte at which the first field
 * that cannot be read begins, or that is behind the last field; framed.len when all of it can be
 * read. *field: the field's name; "" for the header and for what is behind.
 */
size_t dlq_place_find(const struct mr_schema *schema, struct mr_slice framed, const char **field);

/* Bytes as hex and text, sixteen a line, each line after indent; below the line of byte `at` a mark
 * with a word. at SIZE_MAX: none. Of long values the beginning and what is around the mark. */
void dlq_place_dump(struct mr_slice bytes, size_t at, const char *word, const char *indent,
                    struct mr_buffer *out);

#endif
