/*
 * Directories: a sorted base run, which never changes, and a delta of
 * insertions and removals. All deltas of a filesystem stand in one hash table;
 * insertions by directory and name, removals by the base entry's number.
 */
#ifndef MEMFS_DIR_H
#define MEMFS_DIR_H

#include "node.h"

/* An entry that has been found. Entry numbers: those of the base's ENTRIES,
 * then those of the deltas. */
struct found {
    uint32_t entry;
    uint32_t node;
    uint32_t type; /* mode >> 12 */
    uint8_t length;
    const char *name;
};

/* A name in a directory. The text need not end with NUL. */
struct dir_name {
    uint32_t dir;
    const char *text; /* NULL: none */
    size_t length;
    uint64_t hash; /* of all that; 0: it has not been needed yet */
};

/* (Set where it stands: a copy would wait for its parts to be stored.) */
static inline void dir_name_init(struct dir_name *name, uint32_t dir, const char *text, size_t length)
{
    name->dir = dir;
    name->text = text;
    name->length = length;
    name->hash = 0;
}

/* Of a text from a caller: the errors of name_measure(). */
int dir_name_measure(memfs_node dir, const char *text, struct dir_name *out);

/* ---- Reach ---- */

/* Entries there are. */
uint64_t dir_count(const memfs *fs, const struct memfs_node_record *dir);

/* 0, -ENOENT, OP_MISS, MEMFS_ECORRUPT. The node's type, and for a directory that
 * its way in is this entry, have been checked; node may be NULL. */
int dir_find(struct op *op, const struct memfs_node_record *record, struct dir_name *name, struct found *out,
             const struct memfs_node_record **node);

/* Fetches what tells whether a name has been inserted: it will be looked for soon. */
void dir_prefetch(const memfs *fs, struct dir_name *name);

/* What stands for an entry, or NULL if that is none of the deltas'. The entry may be any. */
const struct delta *dir_insertion(struct op *op, uint32_t entry);

/* The insertion, and the entry (if it is asked for), to which there is a hint for the path with a hash; NULL: none. Its
 * fields are not in the cache yet: they are best read as late as can be. */
const struct delta *dir_hint(struct op *op, uint64_t hash, uint32_t *entry);
/* The contents of the file that an insertion names will be read soon. */
void dir_prefetch_content(const memfs *fs, uint32_t entry);
/* From now on a hint says that the path with this hash leads to an entry, if that is an insertion of our own. */
void dir_set_hint(const memfs *fs, uint64_t hash, uint32_t entry);

/* The entry after *cursor, which moves: 1, 0 at the end, or an error. DIR_MORE: so
 * far only removed entries; end this section and go on with *cursor in another.
 * (It moves past removed entries with OP_MISS, too.) */
#define DIR_MORE 2
int dir_next(struct op *op, uint32_t dir, const struct memfs_node_record *record, uint64_t *cursor, struct found *out,
             const struct memfs_node_record **node);

/* Is a cursor, of an entry that has been listed, behind an insertion that was made since dir_end() told `end`? So are
 * then all that follow. */
int dir_is_new(uint64_t cursor, uint32_t end);

/* The name of the entry with a number. */
int dir_entry_name(struct op *op, uint32_t entry, const char **name, size_t *length);

/* Prepares an insertion; a long name is stored already, so dir_cancel_insert() if
 * the operation then fails or is to be retried. The name must stay until commit. */
struct dir_insertion {
    const struct dir_name *name; /* NULL: nothing has been prepared */
    uint64_t offset;             /* in NAMES, of a name of more than DELTA_TEXT bytes */
};
int dir_reach_insert(struct op *op, struct dir_name *name, struct dir_insertion *out);
void dir_cancel_insert(memfs *fs, struct dir_insertion *insertion);

/* Prepare the removal of an entry, and pointing it to another node. */
int dir_reach_remove(struct op *op, uint32_t dir, const struct found *found);
int dir_reach_replace(struct op *op, uint32_t dir, const struct found *found);

/* An operation does at most one insertion, two removals and two replacements,
 * all reached before the first is committed. */

/* ---- Commit ---- */

/* Each returns or takes the entry's number. */
uint32_t dir_insert(memfs *fs, const struct dir_insertion *insertion, uint32_t node, uint32_t type);
void dir_remove(memfs *fs, uint32_t dir, uint32_t entry);
void dir_replace(memfs *fs, uint32_t dir, uint32_t entry, uint32_t node, uint32_t type);

/* Frees what a directory that is empty and about to be released has beside its node. */
void dir_free(memfs *fs, struct memfs_node_record *node);

/* ---- Outside of operations ---- */

/* Where a directory ends at this time, for dir_is_new(). */
int dir_end(memfs *fs, memfs_node dir, uint32_t *out);

#endif
