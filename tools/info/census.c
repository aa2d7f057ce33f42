#include "info/census.h"

#include "list/rooted.h"
#include "output/message.h"
#include "output/progress.h"
#include "system/interrupt.h"

#include <errno.h>
#include <string.h>

#define BATCH 64      /* entries read at once at most */
#define BATCH_FIRST 4 /* the first time, and after a directory: they are read again behind the next one */

/* A directory that the walk is in. */
struct level {
    memfs_node dir;
    uint64_t cursor; /* behind the last entry taken */
};

struct walk {
    struct census *census;
    memfs *fs;
    struct memfs_progress progress; /* nodes: entries */
    struct buffer levels;           /* of struct level */
    struct buffer met;              /* a bit for each number of a node that has several names */
    struct memfs_dirent batch[BATCH];
};

/* ---- Entries ------------------------------------------------------------------------- */

/* Whether a node with several names was met before. */
static int meet(struct walk *walk, memfs_node node, int *before)
{
    const size_t byte = (size_t)(node & UINT32_MAX) / 8;
    const char bit = (char)(1 << (node & 7));
    if (byte >= walk->met.length) {
        const size_t more = byte + 1 - walk->met.length;
        const int result = buffer_reserve(&walk->met, more);
        if (result != 0)
            return result;
        memset(walk->met.data + walk->met.length, 0, more);
        walk->met.length += more;
    }
    *before = (walk->met.data[byte] & bit) != 0;
    walk->met.data[byte] = (char)(walk->met.data[byte] | bit);
    return 0;
}

static int take_file(struct walk *walk, memfs_node dir, const struct memfs_dirent *entry)
{
    struct census *census = walk->census;
    int before = 0;
    int result = entry->stat.nlink > 1 ? meet(walk, entry->stat.node, &before) : 0;
    if (result != 0 || before)
        return result;
    struct weight weight = {.files = 1};
    if ((entry->stat.mode & MEMFS_IFMT) == MEMFS_IFREG) {
        weight.size = entry->stat.size;
        result = stored_of(&census->stored, entry->stat.node, &weight.stored);
        if (result != 0)
            return result;
        largest_add(&census->largest, dir, entry, weight.stored);
        extensions_add(&census->extensions, entry->name, entry->name_length, &weight);
    }
    walk->progress.bytes = quantity_sum(walk->progress.bytes, weight.size);
    return census->outlined ? outline_add(&census->outline, entry->name, entry->name_length, &weight) : 0;
}

static int push(struct walk *walk, memfs_node dir)
{
    const struct level level = {.dir = dir};
    return buffer_append(&walk->levels, &level, sizeof level);
}

static int take_directory(struct walk *walk, const struct memfs_dirent *entry)
{
    int result = 0;
    if (walk->census->outlined)
        result = outline_enter(&walk->census->outline, entry->name, entry->name_length);
    return result ? result : push(walk, entry->stat.node);
}

/* ---- The walk ------------------------------------------------------------------------- */

static struct level *deepest(const struct walk *walk)
{
    return (struct level *)(void *)(walk->levels.data + walk->levels.length) - 1;
}

static void pop(struct walk *walk)
{
    walk->levels.length -= sizeof(struct level);
    if (walk->census->outlined)
        outline_leave(&walk->census->outline);
}

/* Directories of a lying image may all claim the same entries: there is hardly an end to them. */
static int count_entry(struct walk *walk)
{
    if (walk->progress.nodes++ == walk->progress.nodes_total)
        return MEMFS_ECORRUPT;
    return progress_update(NULL, &walk->progress) ? -ECANCELED : 0;
}

/* The entries of the deepest directory, to its end or to its next directory. */
static int go_on(struct walk *walk)
{
    for (size_t wanted = BATCH_FIRST;; wanted = wanted * 2 < BATCH ? wanted * 2 : BATCH) {
        const memfs_node dir = deepest(walk)->dir;
        const int64_t got = memfs_node_readdir(walk->fs, NULL, dir, deepest(walk)->cursor, walk->batch, wanted, 1);
        if (got == 0)
            pop(walk);
        if (got <= 0)
            return (int)got;
        for (int64_t i = 0; i < got; i++) {
            const struct memfs_dirent *entry = &walk->batch[i];
            deepest(walk)->cursor = entry->cursor;
            const int result = count_entry(walk);
            if (result != 0)
                return result;
            if ((entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR)
                return take_directory(walk, entry);
            const int taken = take_file(walk, dir, entry);
            if (taken != 0)
                return taken;
        }
    }
}

/* The path of the directory that the walk is in, for messages. */
static int fail(const struct walk *walk, const struct input *input, int error)
{
    struct buffer path = {0};
    const int known = walk->levels.length > 0 && rooted_directory(&path, walk->fs, deepest(walk)->dir) == 0;
    const int code = error == -ECANCELED ? EXIT_FAILED : input_error(input, known ? path.data : NULL, error);
    buffer_free(&path);
    return code;
}

static int begin(struct census *census, const struct memfs_image_info *info, size_t largest, int outlined)
{
    const struct weight whole = {
        .size = info->content_bytes, .stored = info->stored_bytes, .files = info->nodes - info->types[1]};
    memset(census, 0, sizeof *census);
    census->outlined = outlined;
    int result = largest_begin(&census->largest, largest);
    if (result == 0)
        result = extensions_begin(&census->extensions);
    if (result == 0 && outlined)
        result = outline_begin(&census->outline, &whole);
    return result;
}

int census_take(struct census *census, const struct input *input, size_t largest, int outlined)
{
    struct walk walk = {.census = census, .fs = input->fs};
    struct memfs_image_info info;
    int shown;
    memfs_image_info(input->image, &info);
    walk.progress.nodes_total = info.entries;
    walk.progress.bytes_total = info.content_bytes;
    int result = begin(census, &info, largest, outlined);
    stored_begin(&census->stored, input->image);
    progress_start("counting");
    if (result == 0)
        result = push(&walk, MEMFS_ROOT);
    while (result == 0 && walk.levels.length > 0)
        result = go_on(&walk);
    progress_end(&shown);
    const int code = result != 0 ? fail(&walk, input, result) : EXIT_DONE;
    buffer_free(&walk.levels);
    buffer_free(&walk.met);
    largest_sort(&census->largest);
    extensions_sort(&census->extensions);
    return code;
}

void census_free(struct census *census)
{
    largest_free(&census->largest);
    extensions_free(&census->extensions);
    stored_end(&census->stored);
    outline_free(&census->outline);
}
