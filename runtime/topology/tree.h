/*
 * tree.h -- a YAML document as a tree that remembers where everything stands.
 *
 * Why: every later check reports file:line:column, so a position is part of every node and key.
 * How: libyaml's events with a stack of our own; scalars are substituted from the environment.
 * Not: the whole of YAML. One document; no aliases, no directives, no nesting beyond
 *      TREE_DEPTH_MAX. What is not accepted is named, with its position. Time and memory are
 * bounded by the limits below, whatever the text.
 */
#ifndef MILLRACE_TOPOLOGY_TREE_H
#define MILLRACE_TOPOLOGY_TREE_H

#include "millrace/arena.h"
#include "names.h"
#include "problems.h"

#define TREE_DEPTH_MAX 12
#define TREE_BYTES_MAX ((size_t)4 << 20)
#define TREE_NODES_MAX ((size_t)100000)
/* All values together, after variables were put in. */
#define TREE_TEXT_BYTES_MAX ((size_t)16 << 20)

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node;

struct entry {
    const char *name;            /* of a map's entry; NULL in a list */
    struct mr_position position; /* of the name */
    const struct node *value;
};

struct node {
    enum node_kind kind;
    struct mr_position position;
    const char *text; /* SCALAR, after substitution */
    bool nothing;     /* SCALAR: written as nothing at all, as ~ or as null */
    bool faulty;      /* SCALAR: a substitution failed, which was reported */
    struct entry *entries;
    size_t count;
    size_t capacity;
    struct names names;   /* MAP: of its entries */
    struct node *removed; /* MAP: what an overlay took out of it, a map; NULL: nothing */
};

/*
 * text      the file's bytes; copied as needed
 * arena     receives the tree
 * problems  its file is that of every position; the tree borrows it
 * Returns the root, or NULL when the text is no YAML (a problem says so). Problems that leave a
 *         usable tree (duplicate keys, variables without a value) are collected and do not end it.
 */
const struct node *tree_read(struct mr_slice text, struct mr_arena *arena,
                             struct problem_list *problems);

/* The value of a key, NULL when absent or when node is no map. */
const struct node *tree_get(const struct node *node, const char *name);

/* Building: an empty node; an entry at its end, whose name is not in there yet. */
struct node *tree_node(struct mr_arena *arena, enum node_kind kind, struct mr_position position);
void tree_append(struct node *parent, struct mr_arena *arena, struct entry entry);

const char *node_kind_name(enum node_kind kind);

#endif
