#include "listing.h"
#include "path.h"
#include "pattern.h"
#include "sized.h"

#include <errno.h>
#include <string.h>

#define BATCH 64
#define WORD_BITS 64

/* A directory that may have matches below it. */
struct glob_level {
    memfs_node dir;
    size_t path_length;
    struct listing listing; /* names that may match */
    size_t next;
    int is_linked; /* a symbolic link led here, as others may: entries are counted anew, */
    uint64_t met;  /* and so many had been met before */
};

/* The tree is walked once, whatever the pattern: at each level stands the set of
 * parts with which a path may go on from there. Number `count` means that all
 * parts have been matched. */
struct glob {
    memfs *fs;
    const struct memfs_cred *cred;
    uint64_t depth_max; /* UINT64_MAX: any */
    memfs_step_fn *visit;
    memfs_step_error_fn *failed;
    void *context;
    struct pattern pattern;
    struct trail trail;
    struct glob_level *levels;
    size_t depth, levels_room;
    uint64_t *sets; /* of each level and the one below the deepest, set_words each */
    size_t set_words, sets_room;
    struct memfs_dirent *batch;
    struct met met;
    int found;
};

/* ---- Sets of parts ------------------------------------------------------------------ */

static uint64_t *set_of(const struct glob *glob, size_t level)
{
    return glob->sets + level * glob->set_words;
}

static int set_has(const uint64_t *set, size_t part)
{
    return (int)(set[part / WORD_BITS] >> part % WORD_BITS & 1);
}

/* "**" may be nothing, so whoever can go on with it can go on behind it. */
static void set_add(const struct glob *glob, uint64_t *set, size_t part)
{
    for (;; part++) {
        set[part / WORD_BITS] |= (uint64_t)1 << part % WORD_BITS;
        if (part == glob->pattern.count || glob->pattern.parts[part].kind != PART_DEPTH)
            return;
    }
}

/* The next part in a set, from `from` on; count + 1 if there is none. */
static size_t set_next(const struct glob *glob, const uint64_t *set, size_t from)
{
    while (from <= glob->pattern.count && !set_has(set, from))
        from++;
    return from;
}

/* Makes room for the set of the level below the deepest, and empties it. */
static int set_begin(struct glob *glob)
{
    void *sets = glob->sets;
    size_t used = glob->depth * glob->set_words;
    int error = memfs_grow_array(&glob->fs->allocator, &sets, &glob->sets_room, used, used + glob->set_words,
                                 sizeof *glob->sets);
    glob->sets = sets;
    if (!error)
        memset(glob->sets + used, 0, glob->set_words * sizeof *glob->sets);
    return error;
}

/* ---- What is told ----------------------------------------------------------------------- */

static struct memfs_step step_of(const struct glob *glob, const struct memfs_stat *stat)
{
    struct memfs_step step = {.path = trail_text(&glob->trail), .depth = glob->depth, .stat = stat, .node = stat->node};
    const struct glob_level *level = glob->depth > 0 ? &glob->levels[glob->depth - 1] : NULL;
    step.path_length = glob->trail.length > 0 ? glob->trail.length : 1;
    step.name = step.path + (level ? level->path_length : 0) + 1;
    step.dir = level ? level->dir : 0;
    return step;
}

/* Tells the caller of the trail's end. */
static int call(struct glob *glob, const struct memfs_stat *stat)
{
    const struct memfs_step step = step_of(glob, stat);
    return glob->visit(glob->context, &step);
}

/* The directory at the trail's end is not looked into. */
static int refuse(struct glob *glob, const struct memfs_stat *stat)
{
    const struct memfs_step step = step_of(glob, stat);
    return glob->failed ? glob->failed(glob->context, &step, MEMFS_ELIMIT) : MEMFS_ELIMIT;
}

/* ---- Levels --------------------------------------------------------------------------- */

/* What is not there, or may not be seen, does not match. */
static int is_no_match(int error)
{
    return error == -ENOENT || error == -ESTALE || error == -ENOTDIR || error == -EACCES || error == -ELOOP ||
           error == -ENAMETOOLONG;
}

static int list_one(struct glob *glob, memfs_node dir, const char *name, struct listing *out)
{
    memfs_node node;
    int error = memfs_node_lookup(glob->fs, glob->cred, dir, name, &node);
    if (error)
        return error;
    memfs_node_forget(glob->fs, node, 1);
    error = listing_add(&glob->fs->allocator, out, node, name);
    if (error)
        listing_free(&glob->fs->allocator, out);
    else
        listing_sort(out);
    return error;
}

/* Goes down into a directory with the set that has been made for it. */
static int push(struct glob *glob, memfs_node dir, int is_linked)
{
    const struct pattern *pattern = &glob->pattern;
    const uint64_t *set = set_of(glob, glob->depth);
    void *levels = glob->levels;
    int error = memfs_grow_array(&glob->fs->allocator, &levels, &glob->levels_room, glob->depth, glob->depth + 1,
                                 sizeof *glob->levels);
    glob->levels = levels;
    if (error)
        return error;
    struct glob_level level = {.dir = dir, .path_length = glob->trail.length, .is_linked = is_linked};
    size_t part = set_next(glob, set, 0);
    if (pattern->parts[part].kind == PART_LITERAL && set_next(glob, set, part + 1) >= pattern->count) {
        error = list_one(glob, dir, pattern->text + pattern->parts[part].start, &level.listing);
    } else {
        error = memfs_node_access(glob->fs, glob->cred, dir, MEMFS_X_OK);
        if (!error)
            error = listing_read(glob->fs, glob->cred, dir, glob->batch, BATCH, &level.listing);
    }
    if (error)
        return is_no_match(error) ? 0 : error;
    level.met = glob->met.entries;
    glob->met.entries = is_linked ? 0 : level.met;
    glob->levels[glob->depth++] = level;
    return 0;
}

static void pop(struct glob *glob)
{
    struct glob_level *level = &glob->levels[--glob->depth];
    listing_free(&glob->fs->allocator, &level->listing);
    if (level->is_linked)
        glob->met.entries = level->met;
}

/* ---- Matching ---------------------------------------------------------------------------- */

/* The set with which a path goes on behind a name. */
static int step(struct glob *glob, const char *name, int is_dir)
{
    int error = set_begin(glob);
    if (error)
        return error;
    const uint64_t *from = set_of(glob, glob->depth - 1);
    uint64_t *to = set_of(glob, glob->depth);
    for (size_t part = set_next(glob, from, 0); part < glob->pattern.count; part = set_next(glob, from, part + 1)) {
        if (glob->pattern.parts[part].kind == PART_DEPTH) {
            if (is_dir)
                set_add(glob, to, part);
        } else if (pattern_matches(&glob->pattern, part, name)) {
            set_add(glob, to, part + 1);
        }
    }
    return 0;
}

/* The directory to which a symbolic link at the trail's end leads: stat->mode tells. */
static int follow(struct glob *glob, struct memfs_stat *stat)
{
    struct memfs_stat target;
    int error = memfs_stat(glob->fs, glob->cred, trail_text(&glob->trail), &target);
    if (!error)
        *stat = target;
    return is_no_match(error) ? 0 : error;
}

static int is_type(const struct memfs_stat *stat, uint32_t type)
{
    return (stat->mode & MEMFS_IFMT) == type;
}

/* The trail's end matches as far as the set below the deepest level says. */
static int arrive(struct glob *glob, const struct memfs_stat *stat)
{
    const uint64_t *set = set_of(glob, glob->depth);
    int matches = set_has(set, glob->pattern.count);
    int goes_on = set_next(glob, set, 0) < glob->pattern.count;
    struct memfs_stat end = *stat;
    if (is_type(stat, MEMFS_IFLNK) && (goes_on || (matches && glob->pattern.wants_dirs))) {
        int error = follow(glob, &end);
        if (error)
            return error;
    }
    if (matches && (!glob->pattern.wants_dirs || is_type(&end, MEMFS_IFDIR))) {
        glob->found = 1;
        int result = call(glob, glob->pattern.wants_dirs ? &end : stat);
        if (result)
            return result == MEMFS_WALK_SKIP ? 0 : result;
    }
    if (!goes_on || !is_type(&end, MEMFS_IFDIR))
        return 0;
    return glob->depth > glob->depth_max ? refuse(glob, &end) : push(glob, end.node, is_type(stat, MEMFS_IFLNK));
}

/* One name of the deepest level. */
static int try_name(struct glob *glob, const struct listed *listed)
{
    struct memfs_stat stat;
    int error = met_add(&glob->met);
    if (error)
        return error;
    error = memfs_node_stat(glob->fs, listed->node, &stat);
    if (error)
        return is_no_match(error) ? 0 : error;
    if (stat.nlink == 0)
        return 0; /* removed since it was listed, but held */
    error = step(glob, listed->name, is_type(&stat, MEMFS_IFDIR));
    if (error || set_next(glob, set_of(glob, glob->depth), 0) > glob->pattern.count)
        return error;
    error = trail_append(&glob->fs->allocator, &glob->trail, listed->name);
    return error ? error : arrive(glob, &stat);
}

static int run(struct glob *glob)
{
    struct memfs_stat root;
    int result = memfs_node_stat(glob->fs, MEMFS_ROOT, &root);
    if (!result)
        result = set_begin(glob);
    if (result)
        return result;
    set_add(glob, set_of(glob, 0), 0);
    result = arrive(glob, &root);
    while (!result && glob->depth > 0) {
        struct glob_level *level = &glob->levels[glob->depth - 1];
        trail_cut(&glob->trail, level->path_length);
        if (level->next == level->listing.count)
            pop(glob);
        else
            result = try_name(glob, &level->listing.items[level->next++]);
    }
    return result ? result : glob->found ? 0 : -ENOENT;
}

int memfs_glob_steps(memfs *fs, const struct memfs_cred *cred, const char *pattern,
                     const struct memfs_walk_options *options, memfs_step_fn *visit, void *context)
{
    struct glob glob = {.fs = fs, .cred = cred, .depth_max = UINT64_MAX, .visit = visit, .context = context};
    struct memfs_walk_options taken;
    int result = memfs_sized_take(&taken, sizeof taken, options, NULL);
    if (result)
        return result;
    if (taken.depth_max > 0)
        glob.depth_max = taken.depth_max;
    glob.failed = taken.failed;
    met_begin(&glob.met, fs, &taken);
    result = pattern_parse(&fs->allocator, pattern, &glob.pattern);
    if (result)
        return result;
    glob.set_words = glob.pattern.count / WORD_BITS + 1;
    glob.batch = memfs_alloc_array(&fs->allocator, BATCH, sizeof *glob.batch);
    result = glob.batch ? run(&glob) : -ENOMEM;
    while (glob.depth > 0)
        pop(&glob);
    memfs_free(&fs->allocator, glob.levels, glob.levels_room * sizeof *glob.levels);
    memfs_free(&fs->allocator, glob.sets, glob.sets_room * sizeof *glob.sets);
    memfs_free(&fs->allocator, glob.batch, BATCH * sizeof *glob.batch);
    trail_free(&fs->allocator, &glob.trail);
    pattern_free(&fs->allocator, &glob.pattern);
    return result;
}

int memfs_glob(memfs *fs, const struct memfs_cred *cred, const char *pattern, memfs_walk_fn *visit, void *context)
{
    struct walk_plain plain = {visit, context};
    return memfs_glob_steps(fs, cred, pattern, NULL, walk_visit_plain, &plain);
}
