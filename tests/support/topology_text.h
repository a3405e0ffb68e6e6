/*
 * topology_text.h -- topologies for the worlds of tests: the production one, edited or not, or any
 * other text; against the real catalog, without connectors.
 *
 * What is wrong with a text is asserted.
 */
#ifndef MILLRACE_TESTS_TOPOLOGY_TEXT_H
#define MILLRACE_TESTS_TOPOLOGY_TEXT_H

#include "world.h"

/* A change of the text; `find` must occur in it. */
struct topology_edit {
    const char *find;
    const char *replace;
};

/* Drops `connectors:` and makes the edits. text: malloc'd, taken over; so is what is returned. */
char *topology_text_edit(char *text, const struct topology_edit *edits, size_t edit_count);
/*
 * What a text says, edited so. text NULL: topology.yaml of the repository. catalog NULL: the
 * registered stages and the pipeline's records.
 */
struct mr_topology *topology_of_text(const char *text, const struct mr_catalog *catalog,
                                     const struct topology_edit *edits, size_t edit_count);

#endif
