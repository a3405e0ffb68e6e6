/* page.h -- the page that a process serves under /: page.html with its graph put in. */
#ifndef MILLRACE_TOOLS_PAGE_H
#define MILLRACE_TOOLS_PAGE_H

#include "millrace/buffer.h"

/* svg: of graph_svg_write. */
void page_write(const char *application, struct mr_slice svg, struct mr_buffer *out);

#endif
