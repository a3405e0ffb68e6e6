/* subject_list.h -- the subjects of a topology: what apply registers and what check compares. */
#ifndef MILLRACE_TOOLS_SUBJECT_LIST_H
#define MILLRACE_TOOLS_SUBJECT_LIST_H

#include "millrace/topology.h"

struct subject_of {
    const char *name;
    size_t topic; /* it is the values' of */
    const struct mr_schema *schema;
    struct mr_position position; /* of the topic, or of the stage whose store it is */
};

/* At most so many. */
size_t subject_list_max(const struct mr_topology *topology);
/* Those of topics in topology order, then those of stores; each once. */
void subject_list(const struct mr_topology *topology,
                  void (*visit)(void *arg, const struct subject_of *subject), void *arg);

#endif
