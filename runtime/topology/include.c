/*
 * include.c -- see include.h.
 *
 * Depth first with a stack of the files that are open: a file is finished when all it includes is.
 * A file is known by device and inode, so that a circle is one whatever its paths are called.
 */
#include "include.h"

#include "merge.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define INCLUDE_KEY "include"

struct open_file {
    const char *name;
    dev_t device;
    ino_t inode; /* 0: of a text, which may be no file */
    const struct node *own;
    const struct node *includes; /* a scalar or a list; NULL: none */
    size_t next;                 /* of includes */
    const struct node *base;     /* what is included so far */
};

struct loader {
    struct mr_arena *arena;
    struct problem_list *problems;
    struct open_file stack[INCLUDE_DEPTH_MAX];
    size_t depth;
    size_t files;
    size_t bytes;
};

bool include_read_file(const char *path, struct mr_position at, struct mr_buffer *text,
                       struct problem_list *problems)
{
    const size_t chunk = (size_t)64 << 10;
    FILE *file = fopen(path, "rb");
    bool good = file != NULL;
    bool more = good;

    while (more) {
        const size_t got = fread(mr_buffer_reserve(text, chunk), 1, chunk, file);
        text->len += got;
        good = ferror(file) == 0;
        more = good && got > 0 && text->len <= TREE_BYTES_MAX;
    }
    if (!good) {
        char reason[128];
        if (strerror_r(errno, reason, sizeof(reason)) != 0) {
            reason[0] = '\0';
        }
        problem_add(problems, at, "%s%scannot be read: %s", at.line > 0 ? path : "",
                    at.line > 0 ? " " : "", reason);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return good;
}

/* The root without its key `include`, which goes to *includes. */
static const struct node *without_include(struct loader *l, const struct node *root,
                                          const struct node **includes)
{
    *includes = tree_get(root, INCLUDE_KEY);
    if (*includes == NULL) {
        return root;
    }
    struct node *rest = tree_node(l->arena, NODE_MAP, root->position);
    for (size_t i = 0; i < root->count; i++) {
        if (root->entries[i].value != *includes) {
            tree_append(rest, l->arena, root->entries[i]);
        }
    }
    return rest;
}

static bool push(struct loader *l, struct open_file file, struct mr_slice text)
{
    const char *above = l->problems->file;

    l->problems->file = file.name;
    const struct node *root = tree_read(text, l->arena, l->problems);
    l->problems->file = above;
    if (root == NULL) {
        return false;
    }
    if (root->kind != NODE_MAP) {
        problem_add(l->problems, root->position,
                    "%s and must be a map with application, topics, stages and groups",
                    node_kind_name(root->kind));
        return false;
    }
    file.own = without_include(l, root, &file.includes);
    l->files++;
    l->bytes += text.len;
    l->stack[l->depth++] = file;
    return true;
}

/* The path as the including file's directory sees it. */
static const char *path_from(struct loader *l, const char *including, const char *path)
{
    const char *slash = strrchr(including, '/');
    const size_t directory = path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - including) + 1;
    const size_t bytes = strlen(path) + 1;
    char *joined = mr_arena_alloc(l->arena, directory + bytes);

    memcpy(joined, including, directory);
    memcpy(joined + directory, path, bytes);
    return joined;
}

/* "a includes b includes a", when the file is open already. */
static bool is_circle(struct loader *l, const struct stat *found, struct mr_position at)
{
    struct mr_buffer chain = MR_BUFFER_EMPTY;
    size_t first = 0;

    while (first < l->depth &&
           (l->stack[first].inode == 0 || l->stack[first].inode != found->st_ino ||
            l->stack[first].device != found->st_dev)) {
        first++;
    }
    for (size_t i = first; i < l->depth; i++) {
        mr_buffer_printf(&chain, "%s includes ", l->stack[i].name);
    }
    if (first < l->depth) {
        mr_buffer_append(&chain, "", 1);
        problem_add(l->problems, at, "a circle: %s%s again", (const char *)chain.data,
                    l->stack[first].name);
    }
    mr_buffer_fini(&chain);
    return first < l->depth;
}

static bool within_limits(struct loader *l, struct mr_position at)
{
    if (l->depth == INCLUDE_DEPTH_MAX) {
        problem_add(l->problems, at, "included through more than %d files", INCLUDE_DEPTH_MAX);
        return false;
    }
    if (l->files == INCLUDE_FILES_MAX) {
        problem_add(l->problems, at, "more than %zu files are included", INCLUDE_FILES_MAX);
        return false;
    }
    return true;
}

static bool open_include(struct loader *l, const struct node *item)
{
    struct open_file file = {0};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct stat found;

    if (item->kind != NODE_SCALAR || item->text[0] == '\0' || item->nothing) {
        problem_add(l->problems, item->position,
                    "include is the path of a file, or a list of paths: include: ../base.yaml");
        return false;
    }
    file.name = path_from(l, l->stack[l->depth - 1].name, item->text);
    if (stat(file.name, &found) != 0) {
        problem_add(l->problems, item->position,
                    "there is no file %s: the path starts in the directory of this file",
                    file.name);
        return false;
    }
    if (!S_ISREG(found.st_mode)) {
        problem_add(l->problems, item->position, "%s is no file", file.name);
        return false;
    }
    file.device = found.st_dev;
    file.inode = found.st_ino;
    bool good = !is_circle(l, &found, item->position) && within_limits(l, item->position) &&
                include_read_file(file.name, item->position, &text, l->problems);
    if (good && l->bytes + text.len > TREE_BYTES_MAX) {
        problem_add(l->problems, item->position, "with %s more than %zu bytes altogether",
                    file.name, TREE_BYTES_MAX);
        good = false;
    }
    good = good && push(l, file, mr_buffer_slice(&text));
    mr_buffer_fini(&text);
    return good;
}

/* The next file that the top of the stack includes; NULL when all are there. */
static const struct node *next_include(struct open_file *top)
{
    const struct node *list = top->includes;

    if (list != NULL && list->kind == NODE_LIST) {
        return top->next < list->count ? list->entries[top->next++].value : NULL;
    }
    return list != NULL && top->next++ == 0 ? list : NULL;
}

static const struct node *laid_over(struct loader *l, const struct node *base,
                                    const struct node *over)
{
    return base == NULL ? over : merge_trees(base, over, l->arena, l->problems);
}

const struct node *include_read(const char *name, struct mr_slice text, struct mr_arena *arena,
                                struct problem_list *problems)
{
    struct loader l = {.arena = arena, .problems = problems};
    struct open_file first = {.name = name};
    const struct node *whole = NULL;
    struct stat found;

    if (stat(name, &found) == 0) {
        first.device = found.st_dev;
        first.inode = found.st_ino;
    }
    if (!push(&l, first, text)) {
        return NULL;
    }
    while (l.depth > 0) {
        struct open_file *top = &l.stack[l.depth - 1];
        const struct node *item = next_include(top);

        if (item != NULL) {
            if (!open_include(&l, item)) {
                return NULL;
            }
            continue;
        }
        whole = laid_over(&l, top->base, top->own);
        l.depth--;
        if (l.depth > 0) {
            l.stack[l.depth - 1].base = laid_over(&l, l.stack[l.depth - 1].base, whole);
        }
    }
    return whole;
}
