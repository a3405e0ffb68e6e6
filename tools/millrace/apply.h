/*
 * apply.h -- makes a log and a registry look as a topology says. Callable without the command:
 * `make try` applies to the log and registry in memory.
 *
 * How: everything is looked at first. Only when nothing has to be refused is anything changed, so a
 *      refusal leaves no half-applied topology. Several topics are in work at a time.
 * Refused: another number of partitions (always: keys would move to other tasks); other
 *      configuration without `alter`; a schema that the subject's compatibility does not allow.
 */
#ifndef MILLRACE_TOOLS_APPLY_H
#define MILLRACE_TOOLS_APPLY_H

#include "millrace/log.h"
#include "millrace/registry.h"
#include "millrace/topology.h"

#include <stdio.h>

enum apply_action {
    APPLY_SAME,    /* as declared already */
    APPLY_CREATE,  /* a topic that is not there, a subject without this schema */
    APPLY_ALTER,   /* a topic with other configuration */
    APPLY_REFUSED, /* detail says why */
};

struct apply_item {
    size_t topic;                   /* of the topology */
    const char *name;               /* of the topic or subject; lives as long as the topology */
    const struct mr_schema *schema; /* subjects */
    bool subject;                   /* of the registry; false: a topic of the log */
    enum apply_action action;
    int32_t schema_id;     /* subjects, once registered */
    char detail[256];      /* what differs; "" when nothing does */
    enum mr_status status; /* of looking or doing */
    struct mr_err err;
};

struct apply_options {
    bool dry_run; /* look, change nothing */
    bool alter;   /* may change the configuration of what exists */
};

struct apply_report {
    struct apply_item *items; /* topics in topology order, then their subjects, then the stores' */
    size_t count;
    bool changed; /* false after a dry run or a refusal */
};

/*
 * registry may be NULL: then no subjects. Needs no other part of either to exist before.
 * Returns MR_OK | MR_EXISTS: something was refused, nothing was changed (report says what)
 *         | what the log or the registry failed with, naming the topic or subject.
 * report is filled in every case; free it with apply_report_fini.
 */
MR_NODISCARD enum mr_status mr_topology_apply(const struct mr_topology *topology,
                                              struct mr_log *log, struct mr_registry *registry,
                                              const struct apply_options *options,
                                              struct apply_report *report, struct mr_err *err);
void apply_report_fini(struct apply_report *report);
/* The two halves of it. Looking fills the report, refusals included. */
MR_NODISCARD enum mr_status apply_look(const struct mr_topology *topology, struct mr_log *log,
                                       struct mr_registry *registry, bool alter,
                                       struct apply_report *report, struct mr_err *err);
/* Does what the report says is to be done; nothing of it may be refused. */
MR_NODISCARD enum mr_status apply_change(const struct mr_topology *topology, struct mr_log *log,
                                         struct mr_registry *registry, struct apply_report *report,
                                         struct mr_err *err);

size_t apply_report_count(const struct apply_report *report, bool subject,
                          enum apply_action action);
/* What was done or would be, one line for each change, and a summary. */
void apply_report_text(const struct apply_report *report, FILE *out);
void apply_report_json(const struct apply_report *report, FILE *out);

#endif
