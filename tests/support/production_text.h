/*
 * production_text.h -- topology.yaml of the repository as a text, for tests with a world and for
 * those that have none.
 */
#ifndef MILLRACE_TESTS_PRODUCTION_TEXT_H
#define MILLRACE_TESTS_PRODUCTION_TEXT_H

/* The text as it is on disk; the caller frees it. */
char *production_text(void);
/* The same without one top-level section ("connectors:"); in place. */
void production_drop_section(char *text, const char *section);

#endif
