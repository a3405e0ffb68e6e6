/* run_see.h -- what the files share that let others look inside a running process. */
#ifndef MILLRACE_TOOLS_RUN_SEE_H
#define MILLRACE_TOOLS_RUN_SEE_H

#include "run.h"

/* Everything that is no probe; the handler of millrace/http.h. arg: the process. */
bool run_see_handle(void *process, const struct mr_http_request *request,
                    struct mr_http_answer *answer);

/* run_status.c: one JSON document of figures, made for being asked every second. */
void run_status_write(struct run_process *process, struct mr_buffer *body);

/* run_tap.c: a stream of what an edge in memory hands over. */
void run_tap_open(struct run_process *process, const struct mr_http_request *request,
                  struct mr_http_answer *answer);

#endif
