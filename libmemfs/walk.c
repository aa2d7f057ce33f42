#include "dir.h"
#include "listing.h"
#include "path.h"
#include "sized.h"

#include <errno.h>
#include <string.h>

#define BATCH 64      /* entries read at once at most */
#define BATCH_FIRST 4 /* the first time, and after a directory: they are read again behind the next one */

/* A directory that the walk is in. */
struct level {
    memfs_node dir;
    size_t path_length;
    uint64_t next;           /* the cursor behind the last entry taken; if sorted the next one of the listing, */
    struct listing *listing; /* which else is NULL */
    uint32_t end;            /* not sorted: what comes behind is not visited, or who renames would never be done */
};

struct walk {
    memfs *fs;
    const struct memfs_cred *cred;
    struct memfs_walk_options options;
    memfs_step_fn *visit;
    void *context;
    struct trail trail;
    struct level *levels;
    size_t depth, room;
    uint64_t start_depth; /* steps from the root to where the walk begins; with depth_max */
    /* Entries of the deepest level, read and not yet taken. */
    struct memfs_dirent *batch;
    size_t batch_next, batch_count, batch_wanted;
    struct met met;
};

static int is_post(const struct walk *walk)
{
    return (walk->options.flags & MEMFS_WALK_POST) != 0;
}

static int has_names(const struct walk *walk)
{
    return (walk->options.flags & MEMFS_WALK_NAMES) != 0;
}

static int is_sorted(const struct walk *walk)
{
    return (walk->options.flags & MEMFS_WALK_SORTED) != 0;
}

/* What has been removed since it was found is passed over. */
static int is_gone(int error)
{
    return error == -ESTALE || error == -ENOENT;
}

static void drop_batch(struct walk *walk)
{
    walk->batch_next = walk->batch_count = 0;
    walk->batch_wanted = BATCH_FIRST;
}

/* ---- What is told ---------------------------------------------------------------- */

/* What the trail ends with; its name is what it got behind the directory's path. */
static struct memfs_step step_of(const struct walk *walk, memfs_node node, const struct memfs_stat *stat)
{
    struct memfs_step step = {
        .path = trail_text(&walk->trail), .path_length = walk->trail.length, .stat = stat, .node = node};
    if (has_names(walk)) {
        step.path += step.path[0] == '/';
        step.path_length = strlen(step.path);
        step.name = step.path;
        step.dir = walk->depth > 0 ? walk->levels[walk->depth - 1].dir : 0;
    } else if (walk->depth > 0) {
        const struct level *level = &walk->levels[walk->depth - 1];
        step.dir = level->dir;
        step.name = step.path + level->path_length;
        step.name += step.name[0] == '/';
    } else {
        const char *slash = strrchr(step.path, '/');
        step.name = slash ? slash + 1 : step.path;
        step.path_length = strlen(step.path); /* "/" is no trail */
    }
    step.depth = walk->depth;
    return step;
}

static int tell(struct walk *walk, const struct memfs_stat *stat)
{
    const struct memfs_step step = step_of(walk, stat->node, stat);
    return walk->visit(walk->context, &step);
}

/* What is at the trail's end could not be read: what that comes to. */
static int fail(struct walk *walk, memfs_node node, const struct memfs_stat *stat, int error)
{
    if (is_gone(error))
        return 0;
    if (!walk->options.failed)
        return error;
    const struct memfs_step step = step_of(walk, node, stat);
    return walk->options.failed(walk->context, &step, error);
}

/* ---- The levels ------------------------------------------------------------------ */

static void free_listing(struct walk *walk, struct level *level)
{
    if (level->listing)
        listing_free(&walk->fs->allocator, level->listing);
    memfs_free(&walk->fs->allocator, level->listing, sizeof *level->listing);
    level->listing = NULL;
}

static int list(struct walk *walk, struct level *level)
{
    level->listing = memfs_alloc(&walk->fs->allocator, sizeof *level->listing);
    if (!level->listing)
        return -ENOMEM;
    int error = listing_read(walk->fs, walk->cred, level->dir, walk->batch, BATCH, level->listing);
    if (error)
        free_listing(walk, level);
    return error;
}

static int push(struct walk *walk, memfs_node dir, const struct memfs_stat *stat)
{
    void *levels = walk->levels;
    int error = memfs_grow_array(&walk->fs->allocator, &levels, &walk->room, walk->depth, walk->depth + 1,
                                 sizeof *walk->levels);
    walk->levels = levels;
    if (error)
        return error;
    struct level level = {.dir = dir, .path_length = has_names(walk) ? 0 : walk->trail.length};
    error = memfs_node_access(walk->fs, walk->cred, dir, MEMFS_X_OK);
    if (!error)
        error = is_sorted(walk) ? list(walk, &level) : dir_end(walk->fs, dir, &level.end);
    if (error)
        return fail(walk, dir, stat, error);
    walk->levels[walk->depth++] = level;
    drop_batch(walk);
    return 0;
}

static void pop(struct walk *walk)
{
    free_listing(walk, &walk->levels[--walk->depth]);
    drop_batch(walk);
}

/* The next entry of the deepest level: 1, 0 at its end, or an error. */
static int next_unsorted(struct walk *walk, struct level *level, memfs_node *node, const char **name)
{
    if (walk->batch_next == walk->batch_count) {
        size_t wanted = walk->batch_wanted;
        walk->batch_wanted = wanted * 2 < BATCH ? wanted * 2 : BATCH;
        int64_t count = memfs_node_readdir(walk->fs, walk->cred, level->dir, level->next, walk->batch, wanted, 0);
        if (count <= 0)
            return (int)count;
        walk->batch_next = 0;
        walk->batch_count = (size_t)count;
    }
    const struct memfs_dirent *entry = &walk->batch[walk->batch_next];
    if (dir_is_new(entry->cursor, level->end))
        return 0;
    walk->batch_next++;
    level->next = entry->cursor;
    *node = entry->stat.node;
    *name = entry->name;
    return 1;
}

static int next_entry(struct walk *walk, struct level *level, memfs_node *node, const char **name)
{
    if (!is_sorted(walk))
        return next_unsorted(walk, level, node, name);
    if (level->next == level->listing->count)
        return 0;
    *node = level->listing->items[level->next].node;
    *name = level->listing->items[level->next++].name;
    return 1;
}

/* ---- Visiting --------------------------------------------------------------------- */

/* Into *stat. 0: it is passed over, or the walk ends with *result. */
static int look(struct walk *walk, memfs_node node, struct memfs_stat *stat, int *result)
{
    int error = memfs_node_stat(walk->fs, node, stat);
    if (!error && stat->nlink == 0)
        error = -ENOENT;
    *result = error ? fail(walk, node, NULL, error) : 0;
    return !error;
}

static int is_too_deep(const struct walk *walk)
{
    const uint64_t most = walk->options.depth_max;
    return most > 0 && walk->start_depth + walk->depth > most;
}

/* Where the trail ends there is this node: visits it, or goes down into it. */
static int arrive(struct walk *walk, memfs_node node)
{
    struct memfs_stat stat;
    int result;
    if (!look(walk, node, &stat, &result))
        return result;
    int is_dir = (stat.mode & MEMFS_IFMT) == MEMFS_IFDIR;
    if (is_dir && is_too_deep(walk))
        return fail(walk, node, &stat, MEMFS_ELIMIT);
    if (!is_dir || !is_post(walk)) {
        result = tell(walk, &stat);
        if (result)
            return result == MEMFS_WALK_SKIP ? 0 : result;
    }
    return is_dir ? push(walk, node, &stat) : 0;
}

/* All entries of the deepest level have been visited. */
static int leave(struct walk *walk)
{
    struct memfs_stat stat;
    memfs_node dir = walk->levels[walk->depth - 1].dir;
    pop(walk);
    if (!is_post(walk))
        return 0;
    int result;
    if (!look(walk, dir, &stat, &result))
        return result;
    result = tell(walk, &stat);
    return result == MEMFS_WALK_SKIP ? 0 : result;
}

/* One entry of the deepest level. */
static int take(struct walk *walk, memfs_node node, const char *name)
{
    int result = met_add(&walk->met);
    if (!result)
        result = trail_append(&walk->fs->allocator, &walk->trail, name);
    return result ? result : arrive(walk, node);
}

/* The deepest level's next entries cannot be read. */
static int give_up(struct walk *walk, int error)
{
    memfs_node dir = walk->levels[walk->depth - 1].dir;
    pop(walk);
    return fail(walk, dir, NULL, error);
}

static int walk_from(struct walk *walk, memfs_node node)
{
    int result = arrive(walk, node);
    while (!result && walk->depth > 0) {
        struct level *level = &walk->levels[walk->depth - 1];
        const char *name = NULL;
        trail_cut(&walk->trail, level->path_length);
        int more = next_entry(walk, level, &node, &name);
        if (more < 0)
            result = give_up(walk, more);
        else if (more == 0)
            result = leave(walk);
        else
            result = take(walk, node, name);
    }
    return result;
}

/* ---- Where it begins ------------------------------------------------------------------ */

/* The directory's path, as the trail. */
static int trail_to_dir(struct walk *walk, memfs_node dir)
{
    for (;;) {
        int64_t length = memfs_node_path(walk->fs, dir, NULL, 0);
        if (length < 0)
            return (int)length;
        void *bytes = walk->trail.bytes;
        int error = memfs_grow_array(&walk->fs->allocator, &bytes, &walk->trail.room, 0, (size_t)length + 1, 1);
        walk->trail.bytes = bytes;
        if (error)
            return error;
        length = memfs_node_path(walk->fs, dir, walk->trail.bytes, walk->trail.room);
        if (length == -ERANGE)
            continue; /* it has been renamed meanwhile */
        if (length < 0)
            return (int)length;
        walk->trail.length = length == 1 ? 0 : (size_t)length;
        return 0;
    }
}

static int trail_as(struct walk *walk, const char *text)
{
    struct trail *trail = &walk->trail;
    const size_t length = strlen(text);
    void *bytes = trail->bytes;
    int error = memfs_grow_array(&walk->fs->allocator, &bytes, &trail->room, 0, length + 1, 1);
    trail->bytes = bytes;
    if (error)
        return error;
    memcpy(trail->bytes, text, length + 1);
    trail->length = length;
    return 0;
}

/* What stands for where the walk begins; else the path from the root to what a path leads to. */
static int trail_to(struct walk *walk, const char *path, memfs_node node)
{
    char name[MEMFS_NAME_MAX + 1];
    memfs_node dir;
    const char *as = has_names(walk) ? "" : walk->options.as;
    if (as)
        return trail_as(walk, as);
    int error = trail_to_dir(walk, node);
    if (error != -ENOTDIR)
        return error;
    error = path_parent(walk->fs, walk->cred, path, &dir, name, NULL);
    if (error)
        return error;
    error = trail_to_dir(walk, dir);
    if (!error)
        error = trail_append(&walk->fs->allocator, &walk->trail, name);
    memfs_node_forget(walk->fs, dir, 1);
    return error;
}

static int find_start_depth(struct walk *walk, memfs_node node)
{
    if (walk->options.depth_max == 0)
        return 0;
    const int64_t depth = memfs_node_depth(walk->fs, node);
    if (depth < 0)
        return depth == -ENOTDIR || is_gone((int)depth) ? 0 : (int)depth; /* others lie as deep as they like */
    walk->start_depth = (uint64_t)depth;
    return 0;
}

int memfs_walk_steps(memfs *fs, const struct memfs_cred *cred, const char *path,
                     const struct memfs_walk_options *options, memfs_step_fn *visit, void *context)
{
    struct walk walk = {.fs = fs, .cred = cred, .visit = visit, .context = context};
    memfs_node node;
    int result = memfs_sized_take(&walk.options, sizeof walk.options, options, NULL);
    if (result)
        return result;
    if (walk.options.flags & ~(MEMFS_WALK_POST | MEMFS_WALK_SORTED | MEMFS_WALK_NAMES) ||
        (has_names(&walk) && (is_post(&walk) || walk.options.as)))
        return -EINVAL;
    met_begin(&walk.met, fs, &walk.options);
    result = path_resolve(fs, cred, path, 0, &node);
    if (result)
        return result;
    walk.batch = memfs_alloc_array(&fs->allocator, BATCH, sizeof *walk.batch);
    result = walk.batch ? trail_to(&walk, path, node) : -ENOMEM;
    if (!result)
        result = find_start_depth(&walk, node);
    memfs_node_forget(fs, node, 1);
    if (!result)
        result = walk_from(&walk, node);
    while (walk.depth > 0)
        pop(&walk);
    memfs_free(&fs->allocator, walk.levels, walk.room * sizeof *walk.levels);
    memfs_free(&fs->allocator, walk.batch, BATCH * sizeof *walk.batch);
    trail_free(&fs->allocator, &walk.trail);
    return result;
}

int memfs_walk(memfs *fs, const struct memfs_cred *cred, const char *path, uint32_t flags, memfs_walk_fn *visit,
               void *context)
{
    const struct memfs_walk_options options = {.size = sizeof options, .flags = flags};
    struct walk_plain plain = {visit, context};
    return memfs_walk_steps(fs, cred, path, &options, walk_visit_plain, &plain);
}
