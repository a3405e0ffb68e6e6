/*
 * subjects.h -- the subjects of a topology against what a registry has: may our schemas follow?
 *
 * Why: `topology check --registry` says before a deployment which schema cannot read what is
 *      already written, and which field is the reason; the registry's own answer is a yes or no.
 * How: every version that counts (the latest, or all) is fetched and compared here; what passes is
 *      then shown to the registry, whose level for the subject may be stricter.
 */
#ifndef MILLRACE_TOOLS_SUBJECTS_H
#define MILLRACE_TOOLS_SUBJECTS_H

#include "millrace/registry.h"
#include "millrace/topology.h"

#include <stdio.h>

enum subject_state {
    SUBJECT_NEW,          /* the registry does not have it */
    SUBJECT_SAME,         /* the schema is one of its versions */
    SUBJECT_COMPATIBLE,   /* the schema may become its next version */
    SUBJECT_INCOMPATIBLE, /* it cannot read data of `version` */
};

struct subject_item {
    const char *name;
    const char *topic; /* it is the values' of */
    const struct mr_schema *schema;
    struct mr_position position; /* of the topic, or of the stage whose store it is */
    enum subject_state state;
    int32_t version; /* that was compared last; the one that breaks it; 0: new */
    char text[256];  /* INCOMPATIBLE: why */
};

struct subject_report {
    struct subject_item *items;
    size_t count;
};

/*
 * transitive  compare with all versions instead of the latest
 * Returns MR_OK when every subject was looked at, whatever came out | the registry's own failure
 * The report's texts live as long as the topology; free it with subjects_fini in any case.
 */
MR_NODISCARD enum mr_status subjects_check(const struct mr_topology *topology,
                                           struct mr_registry *registry, bool transitive,
                                           struct subject_report *report, struct mr_err *err);
size_t subjects_count(const struct subject_report *report, enum subject_state state);
void subjects_fini(struct subject_report *report);

/* One line for each that is not as registered, in the form of a problem, and a line of numbers. */
void subjects_print(const struct mr_topology *topology, const struct subject_report *report,
                    FILE *out);
struct json_t; /* jansson */
/* A list; the caller owns it. */
struct json_t *subjects_json(const struct mr_topology *topology,
                             const struct subject_report *report);

#endif
