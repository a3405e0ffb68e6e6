/* codec_clock.h -- a codec on a given clock, for tests of what expires. */
#ifndef MILLRACE_CODEC_CLOCK_H
#define MILLRACE_CODEC_CLOCK_H

#include "millrace/clock.h"
#include "millrace/codec.h"

/* clock is borrowed and must outlive the codec. */
struct mr_codec *mr_codec_create_clocked(struct mr_registry *registry,
                                         const struct mr_clock *clock);

#endif
