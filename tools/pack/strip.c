#include "pack/strip.h"

#include "list/directory.h"
#include "list/rooted.h"
#include "system/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_ROOM 24

/* What is in one directory is to go into another. */
struct move {
    memfs_node from, to;
};

struct strip {
    memfs *fs;
    strip_conflict_fn *conflict;
    void *context;
    struct buffer moves;        /* struct move: those done, and those to do */
    struct buffer changed;      /* struct memfs_stat of directories, before anything came into them */
    struct directory directory; /* whose entries are being moved */
    struct buffer path;
    memfs_node new_root;
    char name[SPARE_ROOM]; /* of the new root in the old */
};

static int is_directory(const struct memfs_stat *stat)
{
    return (stat->mode & MEMFS_IFMT) == MEMFS_IFDIR;
}

static int add_move(struct strip *strip, memfs_node from, memfs_node to)
{
    const struct move move = {from, to};
    return buffer_append(&strip->moves, &move, sizeof move);
}

static int note_times(struct strip *strip, memfs_node node)
{
    struct memfs_stat stat;
    int result = memfs_node_stat(strip->fs, node, &stat);
    return result != 0 ? result : buffer_append(&strip->changed, &stat, sizeof stat);
}

/* A name that a directory does not have. */
static int find_spare(struct strip *strip, memfs_node dir, char name[SPARE_ROOM])
{
    int result = 0;
    for (unsigned i = 0; result == 0; i++) {
        snprintf(name, SPARE_ROOM, "%u", i);
        result = memfs_node_lookup(strip->fs, NULL, dir, name, NULL);
    }
    return result == -ENOENT ? 0 : result;
}

/* Where the new root's entries are gathered, beside those of the old. */
static int make_new_root(struct strip *strip)
{
    int result = find_spare(strip, MEMFS_ROOT, strip->name);
    if (result == 0)
        result = memfs_node_mkdir(strip->fs, NULL, MEMFS_ROOT, strip->name, 0700, &strip->new_root);
    if (result == 0)
        memfs_node_forget(strip->fs, strip->new_root, 1); /* its name keeps it */
    return result;
}

/* The directories so many levels below the root, in path order: what is in them is to be moved. */
static int find_level(struct strip *strip, uint64_t level)
{
    int result = add_move(strip, MEMFS_ROOT, strip->new_root);
    while (result == 0 && level-- > 0 && strip->moves.length > 0) {
        struct buffer above = strip->moves;
        strip->moves = (struct buffer){.length = 0};
        const struct move *moves = (const void *)above.data;
        for (size_t i = 0; result == 0 && i < above.length / sizeof *moves; i++) {
            result = directory_read(&strip->directory, strip->fs, moves[i].from, 0);
            for (size_t row = 0; result == 0 && row < strip->directory.count; row++) {
                const struct memfs_stat *stat = &strip->directory.rows[row].stat;
                if (is_directory(stat) && stat->node != strip->new_root)
                    result = add_move(strip, stat->node, strip->new_root);
            }
        }
        buffer_free(&above);
    }
    return result;
}

static int tell_conflict(struct strip *strip, memfs_node from, const char *name)
{
    int result = rooted_directory(&strip->path, strip->fs, from);
    if (result == 0 && strip->path.length > 1)
        result = buffer_append_text(&strip->path, "/");
    if (result == 0)
        result = buffer_append_text(&strip->path, name);
    if (result != 0)
        return result;
    return strip->conflict(strip->context, strip->path.data + 1) == 0 ? 0 : -EEXIST;
}

/* The name is there already. */
static int meet(struct strip *strip, const struct move *move, const struct directory_row *row)
{
    struct memfs_stat there;
    memfs_node node;
    int result = memfs_node_lookup(strip->fs, NULL, move->to, row->name, &node);
    if (result != 0)
        return result;
    result = memfs_node_stat(strip->fs, node, &there);
    memfs_node_forget(strip->fs, node, 1);
    if (result != 0 || row->stat.node == node) /* the same file under another name */
        return result;
    if (!is_directory(&there) || !is_directory(&row->stat))
        return tell_conflict(strip, move->from, row->name);
    result = note_times(strip, node);
    return result != 0 ? result : add_move(strip, row->stat.node, node);
}

static int move_all(struct strip *strip)
{
    int result = 0;
    for (size_t at = 0; result == 0 && at < strip->moves.length; at += sizeof(struct move)) {
        struct move move;
        memcpy(&move, strip->moves.data + at, sizeof move);
        result = directory_read(&strip->directory, strip->fs, move.from, 0);
        for (size_t i = 0; result == 0 && i < strip->directory.count; i++) {
            const struct directory_row *row = &strip->directory.rows[i];
            result =
                memfs_node_rename(strip->fs, NULL, move.from, row->name, move.to, row->name, MEMFS_RENAME_NOREPLACE);
            if (result == -EEXIST)
                result = meet(strip, &move, row);
        }
    }
    return result;
}

static int remove_one(void *context, const char *path, const struct memfs_stat *stat)
{
    struct strip *strip = context;
    return is_directory(stat) ? memfs_rmdir(strip->fs, NULL, path) : memfs_unlink(strip->fs, NULL, path);
}

/* What is left of the old tree. */
static int remove_rest(struct strip *strip)
{
    int result = directory_read(&strip->directory, strip->fs, MEMFS_ROOT, 0);
    for (size_t i = 0; result == 0 && i < strip->directory.count; i++) {
        const struct directory_row *row = &strip->directory.rows[i];
        if (row->stat.node != strip->new_root)
            result = memfs_walk(strip->fs, NULL, row->name, MEMFS_WALK_POST, remove_one, strip);
    }
    return result;
}

/* The root has nothing but the new one by now, which may have an entry of its own name. */
static int enter_root(struct strip *strip)
{
    char name[SPARE_ROOM];
    int result = directory_read(&strip->directory, strip->fs, strip->new_root, 0);
    if (result == 0)
        result = find_spare(strip, strip->new_root, name);
    if (result == 0)
        result = memfs_node_rename(strip->fs, NULL, MEMFS_ROOT, strip->name, MEMFS_ROOT, name, 0);
    for (size_t i = 0; result == 0 && i < strip->directory.count; i++) {
        const char *entry = strip->directory.rows[i].name;
        result = memfs_node_rename(strip->fs, NULL, strip->new_root, entry, MEMFS_ROOT, entry, MEMFS_RENAME_NOREPLACE);
    }
    return result != 0 ? result : memfs_node_rmdir(strip->fs, NULL, MEMFS_ROOT, name);
}

static int restore_times(struct strip *strip)
{
    int result = 0;
    for (size_t at = 0; result == 0 && at < strip->changed.length; at += sizeof(struct memfs_stat)) {
        struct memfs_stat stat;
        memcpy(&stat, strip->changed.data + at, sizeof stat);
        const struct memfs_setattr set = {
            .set = MEMFS_SET_MTIME | MEMFS_SET_CTIME, .mtime = stat.mtime, .ctime = stat.ctime};
        result = memfs_node_setattr(strip->fs, NULL, stat.node, &set, NULL);
    }
    return result;
}

int strip_components(memfs *fs, uint64_t components, strip_conflict_fn *conflict, void *context)
{
    struct strip strip = {.fs = fs, .conflict = conflict, .context = context};
    int result = note_times(&strip, MEMFS_ROOT);
    if (result == 0)
        result = make_new_root(&strip);
    if (result == 0)
        result = find_level(&strip, components);
    if (result == 0)
        result = move_all(&strip);
    if (result == 0)
        result = remove_rest(&strip);
    if (result == 0)
        result = enter_root(&strip);
    if (result == 0)
        result = restore_times(&strip);
    buffer_free(&strip.moves);
    buffer_free(&strip.changed);
    buffer_free(&strip.path);
    directory_free(&strip.directory);
    return result;
}
