#include "path.h"

#include "climb.h"
#include "dir_hash.h"

#include <errno.h>
#include <string.h>

/* How often a directory may be removed under a walk before it is given up. */
#define RESTARTS_MAX 16

/* Components walked in one section at most. */
#define SECTION_STEPS 1024

/* What a step or a section may end with, besides results. */
#define STEP_LINK 1    /* a symbolic link is to be expanded */
#define STEP_RESTART 2 /* the node where the walk stood is gone */
#define STEP_MORE 3    /* it has taken long enough: writers wait for readers, or holds much */
#define STEP_FOLLOW 4  /* the last component is a link to be followed */
#define STEP_DONE 5    /* the walk has ended */

/* A path from the root, as hints know it: it begins and ends with a name. */
struct way {
    const char *text;
    size_t length;       /* 0: it cannot have hints */
    size_t above_length; /* of the same without the last name; 0: that is the root */
    uint64_t hash, above_hash;
    int knows_above; /* whether a hint has led there */
};

/* A walk along a path. It survives its sections: node and text say where it
 * stands. */
struct path_walk {
    const struct memfs_cred *cred;
    unsigned flags;
    const char *text; /* still to be walked */
    memfs_node at;    /* from here; a directory, unless no text is left */
    char *buffer;     /* where text points to once a link has been expanded */
    size_t buffer_size;
    unsigned links;
    int leaps;         /* hints may know where the text leads; not asked again for each section of a long one */
    path_leaf *leaf;   /* for whole paths; NULL: for all but the last component */
    path_reach *reach; /* else */
    op_commit *commit;
    void *argument;
    /* Where the reader's section has ended that asks for a change, which holds as long as nothing has changed since. */
    struct path_end end;
    uint64_t changes;
    int step; /* what the writer's section has ended with before reach; 0 */
    struct way way;
    size_t target_length; /* of the link to be expanded */
    char target[MEMFS_TARGET_MAX];
};

struct component {
    const char *name;
    size_t length;
    const char *rest; /* behind it, slashes included */
    int last;         /* nothing but slashes follows */
};

static const char *skip_slashes(const char *text)
{
    while (*text == '/')
        text++;
    return text;
}

static void next_component(const char *text, struct component *out)
{
    out->name = skip_slashes(text);
    out->rest = strchr(out->name, '/');
    if (!out->rest)
        out->rest = out->name + strlen(out->name);
    out->length = (size_t)(out->rest - out->name);
    out->last = *skip_slashes(out->rest) == 0;
}

static int is_dots(const struct component *component)
{
    return component->name[0] == '.' &&
           (component->length == 1 || (component->length == 2 && component->name[1] == '.'));
}

static int hold(struct op *op, uint32_t number)
{
    return holds_add(&op->fs->holds, &op->fs->allocator, number, 1, 0);
}

/* ---- One section --------------------------------------------------------------- */

static int step_up(struct op *op, struct path_walk *walk, const struct memfs_node_record **node)
{
    if (node_number(walk->at) == NODE_ROOT)
        return 0;
    if ((*node)->nlink == 0)
        return -ENOENT;
    uint32_t parent = (*node)->up.parent;
    int error = node_by_number(op, parent, node);
    if (error)
        return error;
    if (!node_is_dir(*node))
        return MEMFS_ECORRUPT;
    walk->at = node_handle(parent, *node);
    return 0;
}

static int read_target(struct op *op, struct path_walk *walk, const struct memfs_node_record *link)
{
    const char *target = NULL;
    if (walk->links == MEMFS_SYMLOOP_MAX)
        return -ELOOP;
    if (link->size == 0 || link->size > MEMFS_TARGET_MAX)
        return MEMFS_ECORRUPT;
    int error = heap_get(op, MEMFS_BLOBS, link->target, (size_t)link->size, &target);
    if (error)
        return error;
    if (memchr(target, 0, (size_t)link->size))
        return MEMFS_ECORRUPT;
    memcpy(walk->target, target, (size_t)link->size);
    walk->target_length = (size_t)link->size;
    return STEP_LINK;
}

/* From *node, a directory, to what the component names in it. */
static int step_down(struct op *op, struct path_walk *walk, const struct component *component,
                     const struct memfs_node_record **node)
{
    const struct memfs_node_record *child = NULL;
    struct found found;
    struct dir_name name;
    dir_name_init(&name, node_number(walk->at), component->name, component->length);
    int error = dir_find(op, *node, &name, &found, &child);
    if (error)
        return error;
    if (component->last && walk->way.length)
        dir_set_hint(op->fs, walk->way.hash, found.entry);
    int needs_dir = *component->rest != 0;
    if (node_type(child) == MEMFS_IFLNK && (needs_dir || (walk->flags & PATH_FOLLOW))) {
        error = read_target(op, walk, child);
        if (error == STEP_LINK)
            walk->text = component->rest;
        return error;
    }
    if (needs_dir && !node_is_dir(child))
        return -ENOTDIR;
    walk->at = node_handle(found.node, child);
    *node = child;
    return 0;
}

/* The walk stands in the directory of the end's name, behind which is the rest. */
static int end_in_parent(struct op *op, struct path_walk *walk, const char *rest)
{
    struct path_end *end = &walk->end;
    end->dir = walk->at;
    end->slash = *rest != 0;
    end->path_hash = walk->way.length ? walk->way.hash : 0;
    walk->changes = atomic_load(&op->fs->changes);
    walk->step = 0;
    return walk->reach(op, end, walk->argument);
}

/* The end's name, unless it is known already. */
static void name_end(struct path_walk *walk, uint32_t dir, const char *text, size_t length)
{
    struct dir_name *name = &walk->end.name;
    if (name->dir != dir || name->text != text || name->length != length)
        dir_name_init(name, dir, text, length);
}

/* The last component, unless it is to be followed: STEP_FOLLOW. */
static int try_end(struct op *op, struct path_walk *walk, const struct component *component,
                   const struct memfs_node_record *node)
{
    struct path_end *end = &walk->end;
    name_end(walk, node_number(walk->at), component->name, component->length);
    end->record = node;
    end->node = NULL;
    end->has_looked = (walk->flags & PATH_FOLLOW) && !*component->rest && !is_dots(component);
    if (end->has_looked) {
        int error = dir_find(op, node, &end->name, &end->found, &end->node);
        if (error && error != -ENOENT)
            return error;
        if (!error && node_type(end->node) == MEMFS_IFLNK)
            return STEP_FOLLOW;
    }
    return end_in_parent(op, walk, component->rest);
}

/* ---- Hints ---- */

/* Sets what hints may know of a text that begins at the root. If that to the end is wanted, it is fetched first. */
static void look_ahead(const memfs *fs, const char *text, int wants_last, struct way *way)
{
    *way = (struct way){.text = skip_slashes(text)};
    const size_t length = strlen(way->text);
    if (fs->hints.count == 0 || length == 0 || way->text[length - 1] == '/')
        return;
    way->length = length;
    way->hash = dir_hash_path(fs, way->text, length);
    if (wants_last)
        hints_prefetch(&fs->hints, way->hash);
    const char *last = strrchr(way->text, '/');
    while (last && last[-1] == '/')
        last--;
    if (!last)
        return;
    way->above_length = (size_t)(last - way->text);
    way->above_hash = dir_hash_path(fs, way->text, way->above_length);
}

static void land(struct path_walk *walk, size_t length, uint32_t number, const struct memfs_node_record *node)
{
    walk->at = node_handle(number, node);
    walk->text = walk->way.text + length;
}

/* From the root to a directory, if the way leads there but for its last name. */
static int leap_to(struct op *op, struct path_walk *walk, uint32_t dir, const struct memfs_node_record **node)
{
    const struct memfs_node_record *there = NULL;
    if (!climb_up(op, walk->cred, dir, walk->way.text, walk->way.above_length, &there))
        return 0;
    land(walk, walk->way.above_length, dir, there);
    *node = there;
    return 1;
}

/* From there to the end, unless that is a link to be followed. */
static void leap_down(struct op *op, struct path_walk *walk, uint32_t entry, const struct memfs_node_record **node)
{
    const struct way *way = &walk->way;
    const char *name = skip_slashes(walk->text);
    const struct memfs_node_record *there = NULL;
    uint32_t number = 0;
    if (!climb_down(op, node_number(walk->at), entry, name, (size_t)(way->text + way->length - name), &number, &there))
        return;
    if (node_type(there) == MEMFS_IFLNK && (walk->flags & PATH_FOLLOW))
        return;
    land(walk, way->length, number, there);
    *node = there;
}

/* To the directory of the last name. Without a hint to it the end's entry tells it, and there is one from then on. */
static int leap_above(struct op *op, struct path_walk *walk, const struct delta *to_above, const struct delta *to_last,
                      const struct memfs_node_record **node)
{
    struct way *way = &walk->way;
    if (!way->above_length)
        return to_last && leap_to(op, walk, NODE_ROOT, node);
    way->knows_above = to_above && leap_to(op, walk, to_above->node, node);
    if (!way->knows_above && to_last && leap_to(op, walk, to_last->dir, node)) {
        dir_set_hint(op->fs, way->above_hash, (*node)->up.entry);
        way->knows_above = 1;
    }
    return way->knows_above;
}

/* Where the last name would stand is fetched while the way up from its directory, which a hint tells, is looked at. */
static void fetch_end(struct op *op, struct path_walk *walk, const struct delta *to_above)
{
    const struct way *way = &walk->way;
    const char *name = skip_slashes(way->text + way->above_length);
    name_end(walk, to_above->node, name, (size_t)(way->text + way->length - name));
    dir_prefetch(op->fs, &walk->end.name);
}

/* From the root as far as hints lead: to the directory of the last name, and to the end. What both lead to is
 * fetched at once, the directory first: it is climbed from while the end is still on its way. */
static void leap_ahead(struct op *op, struct path_walk *walk, const struct memfs_node_record **node)
{
    struct way *way = &walk->way;
    const struct delta *to_above = NULL, *to_last = NULL;
    uint32_t last = 0;
    look_ahead(op->fs, walk->text, walk->leaf || walk->flags & PATH_MAKES, way);
    if (way->above_length)
        to_above = dir_hint(op, way->above_hash, NULL);
    if (walk->leaf && way->length)
        to_last = dir_hint(op, way->hash, &last);
    if (to_last && walk->flags & PATH_READS)
        dir_prefetch_content(op->fs, last);
    if (to_above && !walk->leaf)
        fetch_end(op, walk, to_above);
    if (leap_above(op, walk, to_above, to_last, node) && to_last)
        leap_down(op, walk, last, node);
}

/* One step, from *node: 0, or what ends the section. */
static int step(struct op *op, struct path_walk *walk, const struct component *component,
                const struct memfs_node_record **node)
{
    int error = cred_check(op, walk->cred, *node, MEMFS_X_OK);
    if (error)
        return error;
    if (component->length > MEMFS_NAME_MAX)
        return -ENAMETOOLONG;
    if (component->last && walk->way.above_length && !walk->way.knows_above && node_number(walk->at) != NODE_ROOT)
        dir_set_hint(op->fs, walk->way.above_hash, (*node)->up.entry);
    if (!walk->leaf && component->last && (error = try_end(op, walk, component, *node)) != STEP_FOLLOW)
        return error ? error : STEP_DONE;
    error = 0;
    if (!is_dots(component))
        error = step_down(op, walk, component, node);
    else if (component->length == 2)
        error = step_up(op, walk, node);
    return error;
}

/* Walks until the end, or something that needs another section. */
static int walk_section(struct op *op, void *argument)
{
    struct path_walk *walk = argument;
    const struct memfs_node_record *node = NULL;
    int error = node_get(op, walk->at, &node);
    if (error)
        return error == -ESTALE ? STEP_RESTART : error;
    if (walk->at == MEMFS_ROOT && walk->leaps)
        leap_ahead(op, walk, &node);
    for (unsigned steps = 0; *walk->text; steps++) {
        struct component component;
        next_component(walk->text, &component);
        if (component.length == 0) /* slashes at the end; a leap ends behind all */
            break;
        if (steps == SECTION_STEPS || (steps && op->pin_count >= OP_PINS_MANY))
            return STEP_MORE;
        error = step(op, walk, &component, &node);
        if (error)
            return error == STEP_DONE ? 0 : error;
        walk->text = component.rest;
    }
    if (walk->leaf)
        return walk->leaf(op, node_number(walk->at), node, walk->argument);
    dir_name_init(&walk->end.name, 0, "", 0);
    walk->end.record = node;
    walk->end.node = NULL;
    walk->end.has_looked = 0;
    return end_in_parent(op, walk, walk->text);
}

/* ---- Whole walks ----------------------------------------------------------------- */

/* The target takes the place of the link in the text. */
static int expand_link(memfs *fs, struct path_walk *walk)
{
    size_t rest = strlen(walk->text), size = walk->target_length + rest + 1;
    char *buffer = memfs_alloc(&fs->allocator, size);
    if (!buffer)
        return -ENOMEM;
    memcpy(buffer, walk->target, walk->target_length);
    memcpy(buffer + walk->target_length, walk->text, rest + 1);
    memfs_free(&fs->allocator, walk->buffer, walk->buffer_size);
    walk->buffer = buffer;
    walk->buffer_size = size;
    walk->text = buffer;
    walk->links++;
    walk->leaps = 1;
    walk->way = (struct way){.length = 0};
    dir_name_init(&walk->end.name, 0, NULL, 0); /* the new text may lie where an old one did */
    if (buffer[0] == '/')
        walk->at = MEMFS_ROOT;
    return 0;
}

static void start_walk(struct path_walk *walk, const char *path)
{
    walk->text = path;
    walk->at = MEMFS_ROOT;
    walk->links = 0;
    walk->leaps = 1;
}

/* By hand: the target's room need not be cleared. */
static void init_walk(struct path_walk *walk, const struct memfs_cred *cred, unsigned flags)
{
    walk->cred = cred;
    walk->flags = flags;
    walk->buffer = NULL;
    walk->buffer_size = 0;
    walk->leaf = NULL;
    walk->commit = NULL;
    walk->way = (struct way){.length = 0};
    walk->end.dir = 0;
    dir_name_init(&walk->end.name, 0, NULL, 0);
    walk->end.is_writer = 0;
}

static void commit_walk(struct op *op, void *argument)
{
    const struct path_walk *walk = argument;
    walk->commit(op, walk->argument);
}

/* Calls reach where the section before has ended: 1 with its *result; or 0 if none has come to the end, if something
 * has changed since, or if something has been found there: it was held by that section alone. (The reader has not,
 * when it asks for a change; but another try of the writer may have.) */
static int resume(struct op *op, struct path_walk *walk, int *result)
{
    struct path_end *end = &walk->end;
    if (!end->dir || end->node || walk->changes != atomic_load(&op->fs->changes) ||
        node_get(op, end->dir, &end->record) != 0)
        return 0;
    walk->step = 0;
    *result = walk->reach(op, end, walk->argument);
    return 1;
}

static int write_section(struct op *op, void *argument)
{
    struct path_walk *walk = argument;
    int result;
    walk->step = STEP_MORE;
    if (!resume(op, walk, &result))
        result = walk_section(op, walk);
    if (walk->step)
        walk->step = result;
    return result;
}

typedef int op_writer(memfs *fs, op_body *reach, op_commit *commit, void *argument);

static int run_as_writer(memfs *fs, struct path_walk *walk, op_writer *write)
{
    walk->end.is_writer = 1;
    int result = write(fs, write_section, commit_walk, walk);
    walk->end.is_writer = 0;
    return result ? result : walk->step;
}

/* A change is mostly made in one section, of the writer. While others write it is one of a reader, and where that ends
 * one of the writer, which goes on where the reader stood: walks do not wait. A step may be needed there again. */
static int run_section(memfs *fs, struct path_walk *walk)
{
    int result = walk->commit ? run_as_writer(fs, walk, op_write_if_free) : OP_BUSY;
    if (result == OP_BUSY)
        result = op_read(fs, walk_section, walk);
    return result == PATH_CHANGE ? run_as_writer(fs, walk, op_write) : result;
}

static int walk_path(memfs *fs, const char *path, struct path_walk *walk)
{
    int result, restarts = 0;
    if (!*path)
        return -ENOENT;
    start_walk(walk, path);
    while ((result = run_section(fs, walk)) > 0) {
        walk->leaps = 0;
        if (result == STEP_LINK)
            result = expand_link(fs, walk);
        else if (result == STEP_RESTART && restarts++ == RESTARTS_MAX)
            result = -ENOENT;
        else if (result == STEP_RESTART)
            start_walk(walk, path);
        if (result < 0)
            break;
    }
    memfs_free(&fs->allocator, walk->buffer, walk->buffer_size);
    return result;
}

int path_apply(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, path_leaf *leaf,
               void *argument)
{
    struct path_walk walk;
    init_walk(&walk, cred, flags);
    walk.leaf = leaf;
    walk.argument = argument;
    return walk_path(fs, path, &walk);
}

int path_change(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, path_reach *reach,
                op_commit *commit, void *argument)
{
    struct path_walk walk;
    init_walk(&walk, cred, flags);
    walk.reach = reach;
    walk.commit = commit;
    walk.argument = argument;
    return walk_path(fs, path, &walk);
}

int path_end_is_normal(const struct path_end *end)
{
    const struct dir_name *name = &end->name;
    return name->length &&
           !(name->text[0] == '.' && (name->length == 1 || (name->length == 2 && name->text[1] == '.')));
}

struct parent {
    memfs_node *dir;
    char *name;
    int slash;
};

static int hold_parent(struct op *op, struct path_end *end, void *argument)
{
    struct parent *parent = argument;
    int error = hold(op, node_number(end->dir));
    if (error)
        return error;
    memcpy(parent->name, end->name.text, end->name.length);
    parent->name[end->name.length] = 0;
    parent->slash = end->slash;
    *parent->dir = end->dir;
    return 0;
}

int path_parent(memfs *fs, const struct memfs_cred *cred, const char *path, memfs_node *dir,
                char name[MEMFS_NAME_MAX + 1], int *slash)
{
    struct parent parent = {.dir = dir, .name = name};
    int error = path_change(fs, cred, path, 0, hold_parent, NULL, &parent);
    if (!error && slash)
        *slash = parent.slash;
    return error;
}

static int hold_leaf(struct op *op, uint32_t number, const struct memfs_node_record *node, void *argument)
{
    memfs_node *out = argument;
    if (!out)
        return 0;
    int error = hold(op, number);
    if (!error)
        *out = node_handle(number, node);
    return error;
}

int path_resolve(memfs *fs, const struct memfs_cred *cred, const char *path, unsigned flags, memfs_node *out)
{
    return path_apply(fs, cred, path, flags, hold_leaf, out);
}
