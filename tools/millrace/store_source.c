/* store_source.c -- see store_source.h. */
#include "store_source.h"

#include "millrace/arena.h"

#include <stdlib.h>

void store_source_init(struct store_source *source, const struct store_source_ops *ops,
                       const struct store_subject *subject)
{
    const struct mr_topology *topology = subject->topology;

    source->ops = ops;
    source->subject = *subject;
    if (subject->stage != SIZE_MAX) {
        source->partitions = topology->groups[topology->stages[subject->stage].group].partitions;
        source->here = mr_xcalloc((size_t)source->partitions, sizeof(bool));
        source->state = mr_xcalloc((size_t)source->partitions, sizeof(const char *));
    }
}

void store_source_close(struct store_source **source)
{
    if (*source == NULL) {
        return;
    }
    free((*source)->here);
    free((void *)(*source)->state);
    (*source)->ops->close(*source);
    *source = NULL;
}

enum mr_status store_source_open(const struct store_subject *subject,
                                 const struct args_texts *addresses, const char *state_dir,
                                 struct store_source **source, struct mr_err *err)
{
    struct see_processes processes;
    struct mr_err disk_err = {0};
    enum mr_status status = MR_UNAVAILABLE;

    *source = NULL;
    see_processes_find(addresses, state_dir, subject->topology->application, &processes);
    if (processes.count > 0) {
        status = store_live_open(subject, &processes, source, err);
    }
    if (status != MR_UNAVAILABLE || addresses->count > 0) {
        return status;
    }
    status = store_disk_open(subject, state_dir, source, &disk_err);
    if (status != MR_OK) {
        *err = disk_err;
    }
    return status;
}
