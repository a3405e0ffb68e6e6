/*
 * syntax.h -- a file that is no YAML: where it stops to be a text, and what to do about it.
 *
 * Why: libyaml refuses bytes that are no text without saying where, and its sentences describe the
 *      parser, not the file.
 */
#ifndef MILLRACE_TOPOLOGY_SYNTAX_H
#define MILLRACE_TOPOLOGY_SYNTAX_H

#include "problems.h"

/*
 * False and a problem unless the text is UTF-8 without control characters and without directives
 * (lines with % at their beginning). A byte order mark is taken off.
 */
bool syntax_check(struct mr_slice *text, struct problem_list *problems);

/* What is likely wrong where libyaml gives up. sentence: libyaml's; at: the byte it stopped at. */
const char *syntax_hint(const char *sentence, uint8_t at);

#endif
