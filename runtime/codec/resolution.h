/* resolution.h -- records of one foreign schema, read as one of ours. For the codec, and for
 * archives. */
#ifndef MILLRACE_CODEC_RESOLUTION_H
#define MILLRACE_CODEC_RESOLUTION_H

#include "millrace/schema.h"

struct mr_resolution;

/*
 * writer_json  the text the registry has for the writer's id
 * Returns MR_OK | MR_EXISTS, MR_CONFIG with the reason in err: such records cannot be read
 */
MR_NODISCARD enum mr_status mr_resolution_create(const struct mr_schema *schema,
                                                 const char *writer_json,
                                                 struct mr_resolution **out, struct mr_err *err);
void mr_resolution_destroy(struct mr_resolution **resolution);

/* As mr_schema.decode, for a body that the other schema wrote; strings live in arena. */
MR_NODISCARD enum mr_status mr_resolution_decode(const struct mr_resolution *resolution,
                                                 struct mr_slice body, struct mr_arena *arena,
                                                 void *out, struct mr_err *err);

/* How many of the bytes one value of the other schema takes, which others follow. As
 * mr_resolution_decode otherwise; nothing is decoded. */
MR_NODISCARD enum mr_status mr_resolution_measure(const struct mr_resolution *resolution,
                                                  struct mr_slice bytes, size_t *len,
                                                  struct mr_err *err);

#endif
