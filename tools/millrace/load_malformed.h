/*
 * load_malformed.h -- records that must each become exactly one dead letter.
 */
#ifndef MILLRACE_LOAD_MALFORMED_H
#define MILLRACE_LOAD_MALFORMED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes kind (any number; the kinds repeat): a wrong magic byte, an unknown schema id, a body cut
 * short, an enum beyond its symbols, no bytes at all, text instead of Avro. mark is part of the
 * bytes where there is room for it, so that no two runs send the same. Returns how many
 * bytes, 1..bytes_max.
 */
size_t load_malformed_write(int64_t kind, int32_t schema_id, const char *mark, uint8_t *bytes,
                            size_t bytes_max);

#endif
