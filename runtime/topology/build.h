/*
 * build.h -- the topology while it is being read: the same parts as in topology.h, still writable.
 *
 * Order of work (load.c): sections one after the other, each naming its own problems; then the
 * graph as a whole (edges.c), then what is derived (derive.c). A part that could not be understood
 * is marked broken, so that it is reported once and not again by everything that leans on it.
 */
#ifndef MILLRACE_TOPOLOGY_BUILD_H
#define MILLRACE_TOPOLOGY_BUILD_H

#include "problems.h"
#include "settings.h"
#include "suggest.h"
#include "tree.h"

struct stage_draft {
    const char *name;
    const struct mr_stage *type; /* NULL: unknown */
    struct mr_position position;
    struct mr_in_binding *in;
    struct mr_position *in_positions;
    struct mr_out_binding *out;
    struct mr_position *out_positions;
    size_t changelog;
    const char **store_subjects;
    size_t dead_letter;
    const void *options;
    size_t group; /* MR_UNBOUND: in none */
    bool broken;
};

struct group_draft {
    const char *name;
    struct mr_position position;
    size_t *stages;
    struct mr_position *stage_positions;
    size_t stage_count;
    size_t *inputs;
    size_t input_count;
    size_t *tables;
    size_t table_count;
    int32_t partitions;
    size_t journal;
    struct group_settings settings;
};

struct build {
    struct mr_arena *arena;
    const struct mr_catalog *catalog;
    struct problem_list *problems;
    const struct node *root;
    struct mr_topology *topology; /* filled in at the end, and defaults early */
    struct mr_topic *topics;
    const struct node **topic_configs; /* node of `config`, per declared topic */
    bool *topic_broken;
    size_t topic_count;
    size_t topic_capacity;
    size_t declared_count;
    struct names topic_names; /* the first of each name */
    struct stage_draft *stages;
    size_t stage_count;
    struct names stage_names;
    struct group_draft *groups;
    size_t group_count;
    struct mr_connector_node *connectors;
    size_t connector_count;
    bool connectors_broken;
    struct module_ref *modules; /* modules.c */
    size_t module_count;
};

/* ---- settings of a section (sections.c) */

/* Fallbacks of a table into target. */
void build_fallbacks(struct build *b, const struct settings_table *table, void *target);
/*
 * The values given in a map, through the table, into target. Keys that are neither in the table nor
 * in `others` (NULL-terminated, may be NULL) are problems.
 */
void build_settings(struct build *b, const struct node *map, const struct settings_table *table,
                    const char *const *others, void *target);
/* Options of a stage or connector: fallbacks, then given values; required ones must be given. */
void build_options(struct build *b, const struct node *map, const struct settings_table *table,
                   struct mr_position owner, void *target);
/* Problem for each key of the map that is not in `known`; what: "a stage". */
void build_keys(struct build *b, const struct node *map, const char *const *known,
                const char *what);
/* True for a map, or for nothing at all (then *node is NULL). Else a problem. */
bool build_map(struct build *b, const struct node **node, const char *what);
/* False and a problem when a section has too many parts: later steps compare each with each. */
bool build_limits(struct build *b, const struct node *root);
/*
 * The text of a scalar child; NULL and a problem when it is missing or something else. hint: ends
 * the problem's text when it is missing.
 */
const char *build_text(struct build *b, const struct node *map, struct mr_position owner,
                       const char *name, const char *what, const char *hint);
/*
 * For a part that lacks what every such part has: the other of the section that its name was likely
 * meant to be, ", did you mean "x"?", or "". An overlay with a name misspelt looks like this.
 */
const char *build_namesake(struct build *b, const char *section, const char *name);
/* For a name that the section does not have: ": FILE:LINE removes it"; NULL when none does. */
const char *build_removed(struct build *b, const char *section, const char *name);
/* Characters of a name: letters, digits, '-', '_' and, for topics, '.'. */
bool build_name(struct build *b, struct mr_position at, const char *name, bool dots,
                const char *what);
void *build_alloc(struct build *b, size_t count, size_t bytes); /* zeroed */
char *build_printf(struct build *b, const char *fmt, ...) MR_PRINTF(2, 3);
const char *build_list_text(struct build *b, const struct node *list);

/* ---- sections */
void build_head(struct build *b, const struct node *root);       /* sections.c */
void build_topics(struct build *b, const struct node *root);     /* topics.c */
void build_stages(struct build *b, const struct node *root);     /* stages.c */
void build_groups(struct build *b, const struct node *root);     /* groups.c */
void build_connectors(struct build *b, const struct node *root); /* stages.c */

/* ---- stages from shared objects (modules.c) */
/* Opens what `type:` names as files. Before the topics, which may carry a module's records. */
void build_modules(struct build *b, const struct node *root);
bool build_is_module(const char *type);
/* The stage that a module's type names; NULL and a problem when there is none. */
const struct mr_stage *build_module_stage(struct build *b, const struct node *type);
/* A record that a module brings; NULL when none does. All names are offered. */
const struct mr_schema *build_module_schema(struct build *b, const char *name,
                                            struct suggest *suggest);

/* Index of a topic by the name a binding gives; MR_UNBOUND and a problem when there is none. */
size_t build_find_topic(struct build *b, const struct node *name);
/* Appends a topic; its index. The first of a name is the one that is found. */
size_t build_add_topic(struct build *b, const struct mr_topic *topic);

/* ---- the graph as a whole */
void build_edges(struct build *b);  /* edges.c: in memory or not, inputs, order, cycles */
void build_derive(struct build *b); /* derive.c: changelogs, dead letters, configurations */

#endif
