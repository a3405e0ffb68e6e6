/*
 * compat.h -- may one Avro schema follow another?
 */
#ifndef MILLRACE_COMPAT_H
#define MILLRACE_COMPAT_H

#include "millrace/status.h"

/*
 * BACKWARD: what was written with writer_json can be read with reader_json.
 * Returns MR_OK | MR_EXISTS (it cannot; err names the field) | MR_CONFIG (a text is no Avro schema)
 * Thread: any.
 */
MR_NODISCARD enum mr_status mr_compat_check(const char *writer_json, const char *reader_json,
                                            struct mr_err *err);

#endif
