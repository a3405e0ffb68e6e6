/* graph_place.h -- coordinates for a layout whose nodes have their column and band. */
#ifndef MILLRACE_TOOLS_GRAPH_PLACE_H
#define MILLRACE_TOOLS_GRAPH_PLACE_H

#include "graph_layout.h"

/* Order within each column, then x, y and width of bends, bands and the picture. */
void graph_place(struct graph_layout *layout);

#endif
