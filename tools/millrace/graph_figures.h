/* graph_figures.h -- rates and lags of topics from what processes say about themselves. */
#ifndef MILLRACE_TOOLS_GRAPH_FIGURES_H
#define MILLRACE_TOOLS_GRAPH_FIGURES_H

#include "graph_svg.h"
#include "see_status.h"

/* Inits figures, from two askings. Written where a process writes the topic, else as it is taken.
 */
void graph_figures_make(const struct mr_topology *topology, const struct see_status *before,
                        const struct see_status *now, struct graph_figures *figures);

#endif
