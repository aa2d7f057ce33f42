/*
 * A survey of an image: every block that its newest generation consists of, as
 * the refs tell it.
 */
#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "image.h"

#include <errno.h>

/* One level of a tree of refs, on the way through it. */
struct level {
    const struct memfs_ref *refs;
    uint64_t first; /* number of refs[0] in its level */
    size_t count, at;
};

struct survey {
    struct memfs_image *image;
    memfs_image_block_fn *visit;
    void *context;
    struct memfs_detail *detail;
    struct memfs_worker *worker;
    uint64_t covered; /* bytes of the blocks visited: no more than the image has, or some overlap */
    struct level level[MEMFS_REFS_HEIGHT + 1];
    struct memfs_ref refs[MEMFS_REFS_HEIGHT][MEMFS_REFS_PER_CHUNK];
};

/* Reads a chunk of refs, to be walked next. */
static int descend(struct survey *s, unsigned table, unsigned level, uint64_t index, const struct memfs_ref *ref)
{
    struct level *below = &s->level[level - 1];
    struct memfs_ref *refs = s->refs[level - 1];
    *below = (struct level){.refs = refs, .first = index * MEMFS_REFS_PER_CHUNK};
    return memfs_image_fetch_refs(s->image, &s->image->root, s->image->trailer.root_offset, table, level, index, ref,
                                  s->worker, refs, &below->count, s->detail);
}

static int meet(struct survey *s, unsigned table, unsigned level, uint64_t index, const struct memfs_ref *ref)
{
    s->covered += ref->stored;
    if (s->covered > s->image->source.size)
        return memfs_detail_fill(s->detail, MEMFS_ECORRUPT, ref->offset,
                                 "%s: parts of the image overlap: together they are longer than it is",
                                 memfs_table_name(table));
    const struct memfs_image_block block = {memfs_table_name(table), level, index, ref->offset, ref->stored, ref->raw};
    const int stop = s->visit(s->context, &block);
    return stop || level == 0 ? stop : descend(s, table, level, index, ref);
}

/* Depth first, in the order of the refs. */
static int walk_table(struct survey *s, unsigned table)
{
    const struct memfs_root_table *in = &s->image->root.table[table];
    const uint64_t chunks = memfs_chunk_total(table, in->count);
    const unsigned height = memfs_refs_height(chunks);
    unsigned level = height;
    s->level[level] = (struct level){in->refs, 0, (size_t)memfs_refs_width(chunks, height), 0};
    while (level <= height) {
        struct level *here = &s->level[level];
        if (here->at == here->count) {
            level++;
            continue;
        }
        const struct memfs_ref *ref = &here->refs[here->at];
        const int stop = meet(s, table, level, here->first + here->at++, ref);
        if (stop)
            return stop;
        if (level > 0)
            level--;
    }
    return 0;
}

static int walk(struct survey *s)
{
    int result = memfs_worker_take(&s->image->workers, &s->worker);
    for (unsigned table = 0; table < MEMFS_IMAGE_TABLES && result == 0; table++)
        result = walk_table(s, table);
    memfs_worker_put(&s->image->workers, s->worker);
    return result;
}

int memfs_image_blocks(memfs_image *image, memfs_image_block_fn *visit, void *context, struct memfs_detail *detail)
{
    struct memfs_detail found = {.offset = MEMFS_NOWHERE};
    struct survey *s = memfs_alloc_zeroed(&image->allocator, sizeof *s);
    int result = -ENOMEM;
    if (s) {
        s->image = image;
        s->visit = visit;
        s->context = context;
        s->detail = &found;
        result = walk(s);
        memfs_free(&image->allocator, s, sizeof *s);
    }
    if (result < 0 && found.error != result)
        memfs_detail_fill(&found, result, MEMFS_NOWHERE, "%s", memfs_strerror(result));
    if (result < 0 && detail) /* what is positive is the visitor's, and no failure */
        *detail = found;
    return result;
}
