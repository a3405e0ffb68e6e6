/* tree.c -- libyaml events into nodes. See tree.h. */
#include "tree.h"

#include "millrace/buffer.h"
#include "substitute.h"
#include "syntax.h"

#include <yaml.h>

struct frame {
    struct node *node;
    const char *name; /* the key whose value comes next; NULL: a key comes next */
    struct mr_position name_position;
};

struct reader {
    struct mr_arena *arena;
    struct problem_list *problems;
    struct frame stack[TREE_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    size_t text_bytes;
    struct node *root;
    bool failed;
};

static struct mr_position position_of(const struct reader *r, yaml_mark_t mark)
{
    return (struct mr_position){
        .line = (int)mark.line + 1, .column = (int)mark.column + 1, .file = r->problems->file};
}

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[] = {
        [NODE_SCALAR] = "a value", [NODE_LIST] = "a list", [NODE_MAP] = "a map"};

    MR_ASSERT((size_t)kind < MR_COUNT(names));
    return names[kind];
}

const struct node *tree_get(const struct node *node, const char *name)
{
    if (node == NULL || node->kind != NODE_MAP) {
        return NULL;
    }
    const size_t at = names_find(&node->names, name);
    return at != SIZE_MAX ? node->entries[at].value : NULL;
}

struct node *tree_node(struct mr_arena *arena, enum node_kind kind, struct mr_position position)
{
    struct node *node = mr_arena_alloc(arena, sizeof(*node));

    *node = (struct node){.kind = kind, .position = position};
    return node;
}

void tree_append(struct node *parent, struct mr_arena *arena, struct entry entry)
{
    if (parent->count == parent->capacity) {
        const size_t capacity = parent->capacity == 0 ? 8 : parent->capacity * 2;
        struct entry *entries = mr_arena_alloc(arena, capacity * sizeof(*entries));
        if (parent->count > 0) {
            memcpy(entries, parent->entries, parent->count * sizeof(*entries));
        }
        parent->entries = entries;
        parent->capacity = capacity;
    }
    if (parent->kind == NODE_MAP) {
        names_add(&parent->names, arena, entry.name, parent->count);
    }
    parent->entries[parent->count++] = entry;
}

static void refuse(struct reader *r, struct mr_position at, const char *text)
{
    problem_add(r->problems, at, "%s", text);
    r->failed = true;
}

static struct node *node_create(struct reader *r, enum node_kind kind, yaml_mark_t mark)
{
    const struct mr_position at = position_of(r, mark);

    if (++r->nodes > TREE_NODES_MAX) {
        problem_add(r->problems, at, "more than %zu values: this is no topology", TREE_NODES_MAX);
        r->failed = true;
    }
    return tree_node(r->arena, kind, at);
}

/* A finished or just opened node takes its place in the one above it. */
static void attach(struct reader *r, struct node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct frame *top = &r->stack[r->depth - 1];
    struct entry entry = {.name = top->name, .position = top->name_position, .value = node};
    if (top->node->kind == NODE_LIST) {
        entry = (struct entry){.position = node->position, .value = node};
    }
    top->name = NULL;
    /* The second of two equal keys was reported when it was read; the first one counts. */
    if (entry.name == NULL || tree_get(top->node, entry.name) == NULL) {
        tree_append(top->node, r->arena, entry);
    }
}

static void read_key(struct reader *r, struct frame *top, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.scalar.value;
    const size_t first = names_find(&top->node->names, name);

    top->name = (const char *)mr_arena_copy(r->arena, mr_slice_of(name, strlen(name) + 1)).data;
    top->name_position = position_of(r, event->start_mark);
    if (first != SIZE_MAX) {
        problem_add(r->problems, top->name_position,
                    "\"%s\" is given twice, first in line %d: keep one", name,
                    top->node->entries[first].position.line);
    }
}

static void read_scalar(struct reader *r, const yaml_event_t *event)
{
    const bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const char *text = (const char *)event->data.scalar.value;
    struct frame *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;

    if (strlen(text) != event->data.scalar.length) {
        refuse(r, position_of(r, event->start_mark), "a NUL byte: remove it");
        return;
    }
    if (top != NULL && top->node->kind == NODE_MAP && top->name == NULL) {
        read_key(r, top, event);
        return;
    }
    struct node *node = node_create(r, NODE_SCALAR, event->start_mark);
    struct mr_position inside = node->position;
    inside.column += plain ? 0 : 1;
    const size_t before = r->problems->count;
    node->text = substitute(text, inside, r->arena, r->problems);
    node->faulty = r->problems->count != before;
    node->nothing =
        plain && (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
    r->text_bytes += strlen(node->text);
    if (r->text_bytes > TREE_TEXT_BYTES_MAX) {
        refuse(r, node->position, "too much text, with variables put in: this is no topology");
    }
    attach(r, node);
}

static void open_collection(struct reader *r, const yaml_event_t *event, enum node_kind kind)
{
    struct node *node = node_create(r, kind, event->start_mark);
    struct frame *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;

    if (top != NULL && top->node->kind == NODE_MAP && top->name == NULL) {
        refuse(r, node->position,
               "a key must be a plain text; a value that begins with { or [ needs quotes");
        return;
    }
    if (r->depth == TREE_DEPTH_MAX) {
        problem_add(r->problems, node->position, "nested deeper than %d levels", TREE_DEPTH_MAX);
        r->failed = true;
        return;
    }
    attach(r, node);
    r->stack[r->depth++] = (struct frame){.node = node};
}

static void handle(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        read_scalar(r, event);
        break;
    case YAML_MAPPING_START_EVENT:
        open_collection(r, event, NODE_MAP);
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_collection(r, event, NODE_LIST);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        r->depth--;
        break;
    case YAML_ALIAS_EVENT:
        refuse(r, position_of(r, event->start_mark),
               "aliases (*name) are not accepted: write the value out");
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (r->root != NULL) {
            refuse(r, position_of(r, event->start_mark),
                   "a second document (---): one file holds one topology");
        }
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

static void syntax_problem(struct reader *r, const yaml_parser_t *parser)
{
    const char *what = parser->problem != NULL ? parser->problem : "cannot be read";
    const bool reading = parser->error == YAML_READER_ERROR;
    const bool more = parser->buffer.pointer < parser->buffer.last;
    char context[160] = "";

    if (parser->context != NULL) {
        (void)snprintf(context, sizeof(context), " %.100s (line %zu)", parser->context,
                       parser->context_mark.line + 1);
    }
    problem_add(r->problems, position_of(r, reading ? parser->mark : parser->problem_mark),
                "not YAML: %s%s: %s", what, context,
                syntax_hint(what, more ? *parser->buffer.pointer : 0));
    r->failed = true;
}

const struct node *tree_read(struct mr_slice text, struct mr_arena *arena,
                             struct problem_list *problems)
{
    struct reader r = {.arena = arena, .problems = problems};
    yaml_parser_t parser;
    bool done = false;

    if (text.len > TREE_BYTES_MAX) {
        problem_add(problems, (struct mr_position){.line = 1, .column = 1},
                    "larger than %zu bytes: this is no topology", TREE_BYTES_MAX);
        return NULL;
    }
    if (!syntax_check(&text, problems)) {
        return NULL;
    }
    MR_ASSERT(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    /* libyaml wants a pointer even to nothing. */
    yaml_parser_set_input_string(&parser, text.len == 0 ? (const uint8_t *)"" : text.data,
                                 text.len);
    while (!done && !r.failed) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            syntax_problem(&r, &parser);
            break;
        }
        handle(&r, &event);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!r.failed && r.root == NULL) {
        problem_add(problems, (struct mr_position){.line = 1, .column = 1},
                    "empty: a topology has at least application, topics, stages and groups");
    }
    return r.failed ? NULL : r.root;
}
