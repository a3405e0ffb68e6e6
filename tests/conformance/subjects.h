/*
 * subjects.h -- the stages that the suite is run over.
 *
 * Those of stages/registry.c; with files as arguments, those of these modules instead
 * (millrace/module.h). MILLRACE_STAGE=name leaves only that one.
 */
#ifndef MILLRACE_TESTS_SUBJECTS_H
#define MILLRACE_TESTS_SUBJECTS_H

#include "millrace/topology.h"

#define SUBJECTS_MAX 64

/* Once, before anything else; says what is wrong and ends the program when nothing is left. */
void subjects_init(int argc, char **argv);
int subject_count(void);
const struct mr_stage *subject(int index);
/* The subjects and every record there is. */
const struct mr_catalog *subject_catalog(void);
/*
 * The field that a port's records are keyed by: as in topology.yaml where a stage of that type
 * stands there, else a guess.
 */
const char *subject_key(const struct mr_stage *type, bool out, size_t port);

/* It is a number with bounds. */
bool subject_option_bounded(const struct mr_option *option);
/* How a value in the stored unit is written in a topology. */
const char *subject_option_text(const struct mr_option *option, int64_t value, char text[64]);

#endif
