/*
 * substitute.h -- ${NAME} and ${NAME:-fallback} in a scalar, from the environment.
 *
 * As in a shell: a variable that is unset or empty takes the fallback. Without either it is a
 * problem. `$${` stands for a literal `${`. A fallback is taken as it stands, up to the next `}`.
 */
#ifndef MILLRACE_TOPOLOGY_SUBSTITUTE_H
#define MILLRACE_TOPOLOGY_SUBSTITUTE_H

#include "tree.h"

#define SUBSTITUTE_BYTES_MAX ((size_t)64 << 10)

/* at: where the text starts. Returns a text in the arena, never NULL. */
const char *substitute(const char *text, struct mr_position at, struct mr_arena *arena,
                       struct problem_list *problems);

#endif
