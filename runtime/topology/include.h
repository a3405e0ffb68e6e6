/*
 * include.h -- a file and the files it includes, as one tree.
 *
 * `include: FILE` or a list of them, at the top of a file; paths start in the directory of the file
 * that names them. A later file of the list wins over an earlier one, the including file over all.
 */
#ifndef MILLRACE_TOPOLOGY_INCLUDE_H
#define MILLRACE_TOPOLOGY_INCLUDE_H

#include "millrace/buffer.h"
#include "tree.h"

#define INCLUDE_DEPTH_MAX 8
#define INCLUDE_FILES_MAX ((size_t)32)

/*
 * name  the file's, which the text is of; in the arena
 * Returns the merged tree without the key `include`; NULL and problems when a file cannot be taken.
 */
const struct node *include_read(const char *name, struct mr_slice text, struct mr_arena *arena,
                                struct problem_list *problems);

/* The whole file (at most one byte more than TREE_BYTES_MAX), or false and a problem at `at`. */
bool include_read_file(const char *path, struct mr_position at, struct mr_buffer *text,
                       struct problem_list *problems);

#endif
