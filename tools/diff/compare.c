#include "diff/compare.h"

#include "list/rooted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES ((size_t)256 << 10)
#define ROOM_BYTES 65536 /* of names, and of a value: the larger limit */

_Static_assert(MEMFS_XATTR_MAX <= ROOM_BYTES && MEMFS_XATTR_LIST_MAX <= ROOM_BYTES, "all attributes fit");

/* ---- Extended attributes ------------------------------------------------------------ */

/* The names of either side, merged. */
struct names {
    const char *at[2], *end[2];
};

static int64_t value_of(const struct side *side, memfs_node node, const char *name, char *room)
{
    return memfs_node_getxattr(side->fs, NULL, node, name, room, ROOM_BYTES);
}

/* The next name, and which sides have it; NULL at the end. */
static const char *next_name(struct names *names, unsigned *has)
{
    const int left[2] = {names->at[OLD] < names->end[OLD], names->at[NEW] < names->end[NEW]};
    if (!left[OLD] && !left[NEW])
        return NULL;
    const int order = !left[NEW] ? -1 : !left[OLD] ? 1 : strcmp(names->at[OLD], names->at[NEW]);
    const char *name = order <= 0 ? names->at[OLD] : names->at[NEW];
    *has = (order <= 0 ? HAS_OLD : 0) | (order >= 0 ? HAS_NEW : 0);
    for (int side = 0; side < 2; side++) {
        if (*has & (1u << side))
            names->at[side] += strlen(names->at[side]) + 1;
    }
    return name;
}

static int compare_values(struct compare *compare, const struct pair *pair, const char *name, unsigned has,
                          compare_xattr_fn *differs, void *context, int *failed)
{
    const char *value[2] = {NULL, NULL};
    size_t length[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        if (!(has & (1u << side)))
            continue;
        char *room = compare->xattrs + (size_t)(2 + side) * ROOM_BYTES;
        const int64_t got = value_of(compare->sides[side], pair->stat[side].node, name, room);
        *failed = side;
        if (got < 0)
            return (int)got;
        value[side] = room;
        length[side] = (size_t)got;
    }
    if (has == HAS_BOTH && length[OLD] == length[NEW] && memcmp(value[OLD], value[NEW], length[OLD]) == 0)
        return 0;
    return differs(context, name, value, length) ? 1 : 0;
}

static int compare_xattrs(struct compare *compare, const struct pair *pair, compare_xattr_fn *differs, void *context,
                          int *failed)
{
    struct names names;
    unsigned has;
    const char *name;
    *failed = OLD;
    if (!compare->xattrs && !(compare->xattrs = malloc((size_t)4 * ROOM_BYTES)))
        return -ENOMEM;
    for (int side = 0; side < 2; side++) {
        char *list = compare->xattrs + (size_t)side * ROOM_BYTES;
        const int64_t length =
            memfs_node_listxattr(compare->sides[side]->fs, NULL, pair->stat[side].node, list, ROOM_BYTES);
        *failed = side;
        if (length < 0)
            return (int)length;
        names.at[side] = list;
        names.end[side] = list + length;
    }
    int result = 0;
    while (result == 0 && (name = next_name(&names, &has)))
        result = compare_values(compare, pair, name, has, differs, context, failed);
    return result < 0 ? result : 0;
}

void compare_tell_xattrs(struct compare *compare, const struct pair *pair, compare_xattr_fn *differs, void *context)
{
    int failed;
    const int result = compare_xattrs(compare, pair, differs, context, &failed);
    if (result != 0)
        side_error(compare->sides[failed], pair->path, result);
}

static int note_difference(void *context, const char *name, const char *const value[2], const size_t length[2])
{
    (void)name;
    (void)value;
    (void)length;
    *(int *)context = 1;
    return 1;
}

static int differ_in_xattrs(struct compare *compare, const struct pair *pair, unsigned *differs, int *failed)
{
    int found = 0;
    for (int side = 0; side < 2; side++) {
        if (side_lacks(compare->sides[side], pair->path, MEMFS_PROBLEM_XATTR))
            return 0;
    }
    int result = compare_xattrs(compare, pair, note_difference, &found, failed);
    *differs |= found ? DIFFERS_XATTRS : 0;
    return result;
}

/* ---- Other attributes ---------------------------------------------------------------- */

static int differ_in_target(struct compare *compare, const struct pair *pair, unsigned *differs, int *failed)
{
    char target[2][MEMFS_TARGET_MAX];
    int64_t length[2];
    for (int side = 0; side < 2; side++) {
        length[side] =
            memfs_node_readlink(compare->sides[side]->fs, pair->stat[side].node, target[side], sizeof target[side]);
        *failed = side;
        if (length[side] < 0)
            return (int)length[side];
    }
    if (length[OLD] != length[NEW] || memcmp(target[OLD], target[NEW], (size_t)length[OLD]) != 0)
        *differs |= DIFFERS_TARGET;
    return 0;
}

/* Two files are linked alike if the first names under which they were met are of one pair. */
static int differ_in_links(struct compare *compare, const struct pair *pair, struct comparison *out, int *failed)
{
    if (pair->stat[OLD].nlink < 2 && pair->stat[NEW].nlink < 2)
        return 0;
    out->number = ++compare->pairs;
    for (int side = 0; side < 2; side++) {
        struct linkage_first *first;
        out->first[side] = out->number;
        *failed = side;
        if (pair->stat[side].nlink < 2)
            continue;
        int result = linkage_meet(&compare->links[side], pair->stat[side].node, pair->dir[side], pair->name,
                                  out->number, &first);
        if (result != 0)
            return result;
        out->first[side] = first->number;
    }
    if (out->first[OLD] != out->first[NEW])
        out->differs |= DIFFERS_LINKS;
    return 0;
}

int compare_first_path(const struct compare *compare, const struct pair *pair, int side, struct buffer *path)
{
    const struct linkage *linkage = &compare->links[side];
    const struct linkage_first *first = linkage_find(linkage, pair->stat[side].node);
    path->length = 0;
    int result = first ? rooted_directory(path, compare->sides[side]->fs, first->dir) : -ENOENT;
    if (path->length > 0) { /* without the slash of the root, and with one behind it */
        memmove(path->data, path->data + 1, path->length);
        path->data[--path->length] = '/';
        path->length += path->length > 0;
    }
    return result == 0 ? buffer_append_text(path, linkage->names.data + first->name) : result;
}

/* Marks of a pair's old side, if both sides have the same other names. */
enum { MARK_NONE, MARK_SAME, MARK_DIFFERENT };

void compare_keep(struct compare *compare, const struct pair *pair, const struct comparison *comparison)
{
    if (!comparison->unread || comparison->number == 0 || comparison->first[OLD] != comparison->first[NEW])
        return;
    struct linkage_first *first = linkage_find(&compare->links[OLD], pair->stat[OLD].node);
    if (first)
        first->mark = comparison->differs & DIFFERS_CONTENTS ? MARK_DIFFERENT : MARK_SAME;
}

/* What has been kept of the contents of a pair. */
static int kept(const struct compare *compare, const struct pair *pair, const struct comparison *comparison)
{
    if (comparison->number == 0 || comparison->first[OLD] != comparison->first[NEW])
        return MARK_NONE;
    const struct linkage_first *first = linkage_find(&compare->links[OLD], pair->stat[OLD].node);
    return first ? first->mark : MARK_NONE;
}

/* What stat knows, but for contents. */
static unsigned differ_in_stat(const struct memfs_stat *old, const struct memfs_stat *new)
{
    const uint32_t old_type = old->mode & MEMFS_IFMT, new_type = new->mode &MEMFS_IFMT;
    unsigned differs = 0;
    if (old_type != new_type)
        differs |= DIFFERS_TYPE;
    else if ((new_type == MEMFS_IFCHR || new_type == MEMFS_IFBLK) &&
             (old->rdev_major != new->rdev_major || old->rdev_minor != new->rdev_minor))
        differs |= DIFFERS_DEVICE;
    /* A symbolic link's mode is none. */
    if (((old->mode ^ new->mode) & 07777u) && old_type != MEMFS_IFLNK && new_type != MEMFS_IFLNK)
        differs |= DIFFERS_MODE;
    if (old->uid != new->uid)
        differs |= DIFFERS_OWNER;
    if (old->gid != new->gid)
        differs |= DIFFERS_GROUP;
    if (old->mtime != new->mtime)
        differs |= DIFFERS_TIME;
    return differs;
}

static int is_enough(const struct compare *compare, unsigned differs)
{
    return compare->first_only && (differs & ~compare->ignored) != 0;
}

/* Of regular files: what can be told of contents without reading them. Sizes and digests that differ do it. */
static void differ_in_contents(const struct compare *compare, const struct pair *pair, struct comparison *out)
{
    uint64_t digest[2];
    if (pair->stat[OLD].size != pair->stat[NEW].size) {
        out->differs |= DIFFERS_CONTENTS;
        return;
    }
    if (pair->stat[OLD].size == 0)
        return;
    const int known = memfs_node_digest(compare->sides[OLD]->fs, pair->stat[OLD].node, &digest[OLD]) == 0 &&
                      memfs_node_digest(compare->sides[NEW]->fs, pair->stat[NEW].node, &digest[NEW]) == 0;
    const int mark = kept(compare, pair, out);
    if (mark == MARK_DIFFERENT || (known && digest[OLD] != digest[NEW]))
        out->differs |= DIFFERS_CONTENTS;
    else
        out->unread = mark == MARK_NONE && !(known && compare->trust_digests);
}

static int compare_rest(struct compare *compare, const struct pair *pair, struct comparison *out, int *failed)
{
    const uint32_t type = pair->stat[NEW].mode & MEMFS_IFMT;
    const int one_type = !(out->differs & DIFFERS_TYPE);
    int result = 0;
    /* Links are always looked at: which are the first depends on all of them, and what need not be read on them. */
    if (one_type && type != MEMFS_IFDIR)
        result = differ_in_links(compare, pair, out, failed);
    if (result == 0 && one_type && type == MEMFS_IFLNK)
        result = differ_in_target(compare, pair, &out->differs, failed);
    if (result == 0 && !is_enough(compare, out->differs) && !(compare->ignored & DIFFERS_XATTRS))
        result = differ_in_xattrs(compare, pair, &out->differs, failed);
    if (result == 0 && one_type && type == MEMFS_IFREG && !is_enough(compare, out->differs) &&
        !(compare->ignored & DIFFERS_CONTENTS))
        differ_in_contents(compare, pair, out);
    return result;
}

int compare_pair(struct compare *compare, const struct pair *pair, struct comparison *out)
{
    int failed = OLD;
    *out = (struct comparison){.differs = differ_in_stat(&pair->stat[OLD], &pair->stat[NEW])};
    int result = compare_rest(compare, pair, out, &failed);
    out->differs &= ~compare->ignored;
    if (result != 0)
        side_error(compare->sides[failed], pair->path, result);
    return result;
}

void compare_free(struct compare *compare)
{
    linkage_free(&compare->links[OLD]);
    linkage_free(&compare->links[NEW]);
    free(compare->xattrs);
    compare->xattrs = NULL;
}

/* ---- Contents ------------------------------------------------------------------------- */

/* Some bytes of a file: an image's are looked at where they are, a directory's read. */
struct piece {
    const char *data;
    size_t length;
    struct memfs_view view; /* without data: none is held */
};

static int get_piece(const struct side *side, const struct memfs_stat *stat, uint64_t offset, size_t length, char *room,
                     struct piece *out)
{
    *out = (struct piece){.length = 0};
    if (side->is_host) {
        const int64_t got = memfs_node_read(side->fs, stat->node, offset, room, length);
        out->data = room;
        out->length = got > 0 ? (size_t)got : 0;
        return got > 0 ? 0 : got < 0 ? (int)got : -ESTALE;
    }
    int result = memfs_node_view(side->fs, stat->node, offset, length, &out->view);
    if (result != 0)
        return result;
    out->data = out->view.data;
    out->length = out->view.length;
    return out->length > 0 ? 0 : MEMFS_ECORRUPT;
}

static void put_piece(const struct side *side, struct piece *piece)
{
    if (piece->view.data)
        memfs_view_release(side->fs, &piece->view);
}

/* Compares at most length bytes from *offset on, and moves it behind those that are the same. */
static int compare_piece(struct side *const sides[2], const struct memfs_stat stat[2], uint64_t *offset, size_t length,
                         char *room, int *failed)
{
    struct piece old, new = {.length = 0};
    *failed = OLD;
    int result = get_piece(sides[OLD], &stat[OLD], *offset, length, room, &old);
    if (result == 0) {
        *failed = NEW;
        result = get_piece(sides[NEW], &stat[NEW], *offset, old.length, room + PIECE_BYTES, &new);
    }
    if (result == 0) {
        result = memcmp(old.data, new.data, new.length) != 0;
        *offset += new.length;
    }
    put_piece(sides[OLD], &old);
    put_piece(sides[NEW], &new);
    return result;
}

/* Where the next data is; the size if there is none. */
static int64_t next_data(const struct side *side, const struct memfs_stat *stat, uint64_t offset)
{
    const int64_t at = memfs_node_seek(side->fs, stat->node, offset, MEMFS_SEEK_DATA);
    return at == -ENXIO ? (int64_t)stat->size : at;
}

/* Moves *offset over a hole that both have. */
static int skip_hole(struct side *const sides[2], const struct memfs_stat stat[2], uint64_t *offset, int *failed)
{
    uint64_t nearest = stat[OLD].size;
    for (int side = 0; side < 2; side++) {
        const int64_t data = next_data(sides[side], &stat[side], *offset);
        *failed = side;
        if (data < 0)
            return (int)data;
        if ((uint64_t)data < nearest)
            nearest = (uint64_t)data;
        if (nearest <= *offset)
            return 0;
    }
    *offset = nearest;
    return 0;
}

int compare_contents(struct side *const sides[2], const struct memfs_stat stat[2], struct compare_room *room,
                     int *failed)
{
    const uint64_t size = stat[OLD].size;
    *failed = OLD;
    if (!room->bytes && !(room->bytes = malloc(2 * PIECE_BYTES)))
        return -ENOMEM;
    int result = 0;
    for (uint64_t offset = 0; offset < size && result == 0;) {
        if (size > PIECE_BYTES)
            result = skip_hole(sides, stat, &offset, failed);
        const size_t length = size - offset < PIECE_BYTES ? (size_t)(size - offset) : PIECE_BYTES;
        if (result == 0 && length > 0)
            result = compare_piece(sides, stat, &offset, length, room->bytes, failed);
    }
    return result;
}

void compare_room_free(struct compare_room *room)
{
    free(room->bytes);
    room->bytes = NULL;
}
