/*
 * The bytes of an image: that each belongs to exactly one thing, and each thing
 * has its hash; through all generations.
 */
#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "hash.h"
#include "ranges.h"
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* One level of a tree of refs, on the way through it. */
struct level {
    const struct memfs_ref *refs;
    uint64_t first; /* number of refs[0] in its level */
    size_t count, at;
};

/* The generation after the one that is walked: what both have was visited there. */
struct newer {
    int exists;
    struct memfs_trailer trailer;
    struct memfs_root root;
    /* Of the tree that is walked, by level: the chunk of refs that was asked for last. */
    uint64_t held[MEMFS_REFS_HEIGHT]; /* 1 + its number; 0: none */
    struct memfs_ref refs[MEMFS_REFS_HEIGHT][MEMFS_REFS_PER_CHUNK];
};

/* One generation after the other, the newest first. */
struct walk {
    struct memfs_verifying *v;
    struct memfs_worker *worker;
    struct memfs_trailer trailer;
    struct memfs_root root;
    struct memfs_ranges ranges; /* of all generations */
    uint64_t covered;           /* bytes of all ranges */
    uint64_t raw_bytes, stored_bytes;
    int shared; /* not all data blocks were met, since the generation after this one has them, too */
    int broken; /* not all refs could be had */
    struct level level[MEMFS_REFS_HEIGHT + 1];
    struct memfs_ref refs[MEMFS_REFS_HEIGHT][MEMFS_REFS_PER_CHUNK];
    struct newer newer;
};

/* What the ranges cover together is bounded by the file's size, since otherwise some
 * overlap: that bounds the whole walk, too. */
static int add_range(struct walk *w, const char *what, uint64_t offset, uint64_t length)
{
    w->covered += length;
    if (w->covered > w->v->image->source.size) {
        w->broken = w->v->tables_broken = 1;
        memfs_verify_finding(w->v, MEMFS_ECORRUPT, offset,
                             "%s: parts of the image overlap: together they are longer than it is", what);
        return 1;
    }
    return memfs_ranges_add(&w->ranges, offset, length) ? memfs_verify_no_memory(w->v) : 0;
}

/* ---- Hashes ------------------------------------------------------------------------ */

static int check_hash(struct walk *w, unsigned table, uint64_t index, const struct memfs_ref *ref)
{
    uint64_t hash;
    const int error = memfs_verify_hash(w->v->image, w->worker, ref, &hash);
    if (error)
        return memfs_verify_unread(w->v, table, index, ref, error);
    if (hash == ref->hash)
        return 0;
    if (table != MEMFS_DATA)
        w->v->tables_broken = 1;
    return memfs_verify_mismatch(w->v, table, index, ref, hash);
}

/* ---- Trees of refs ------------------------------------------------------------------- */

/* The data blocks of the newest generation are most of an image: whether they have
 * their hashes is found out later, by several threads, with what else is to be done
 * to them. */
static int visit_leaf(struct walk *w, unsigned table, uint64_t index, const struct memfs_ref *ref)
{
    if (table == MEMFS_DATA) {
        w->raw_bytes += ref->raw;
        w->stored_bytes += ref->stored;
        if (!w->newer.exists) {
            w->v->block_raw[index] = ref->raw;
            return memfs_verify_work(w->v, 0);
        }
    }
    return memfs_verify_progress(w->v, ref->stored, 0) || check_hash(w, table, index, ref);
}

/* Reads a chunk of refs, to be walked next; *down says whether it can be. */
static int descend(struct walk *w, unsigned table, unsigned level, uint64_t index, const struct memfs_ref *ref,
                   int *down)
{
    struct memfs_detail detail;
    struct level *below = &w->level[level - 1];
    memset(&detail, 0, sizeof detail);
    const int error = memfs_image_fetch_refs(w->v->image, &w->root, w->trailer.root_offset, table, level, index, ref,
                                             w->worker, w->refs[level - 1], &below->count, &detail);
    *down = !error;
    if (error) {
        w->broken = w->v->tables_broken = 1;
        return memfs_verify_error(w->v, error, &detail);
    }
    below->refs = w->refs[level - 1];
    below->first = index * MEMFS_REFS_PER_CHUNK;
    below->at = 0;
    return 0;
}

/* ---- What generations share --------------------------------------------------------- */

/* The ref that the newer generation has at the same place, if it has one there. Asked
 * for in the order of the walk, so that each of its chunks of refs is read once. */
static int find_newer(struct walk *w, unsigned table, unsigned level, uint64_t index, struct memfs_ref *out, int *found)
{
    struct newer *newer = &w->newer;
    const struct memfs_root_table *in = &newer->root.table[table];
    const uint64_t chunks = memfs_chunk_total(table, in->count);
    unsigned at = memfs_refs_height(chunks);
    *found = 0;
    if (!newer->exists || level > at || index >= memfs_refs_width(chunks, level))
        return 0;
    *out = in->refs[index >> MEMFS_REFS_SHIFT * (at - level)];
    for (; at > level; at--) {
        const uint64_t chunk = index >> MEMFS_REFS_SHIFT * (at - level);
        if (newer->held[at - 1] != chunk + 1) {
            struct memfs_detail detail = {0};
            size_t got;
            newer->held[at - 1] = 0;
            const int error = memfs_image_fetch_refs(w->v->image, &newer->root, newer->trailer.root_offset, table, at,
                                                     chunk, out, w->worker, newer->refs[at - 1], &got, &detail);
            if (error == MEMFS_ECHECKSUM || error == MEMFS_ECORRUPT)
                return 0; /* which was reported there */
            if (error)
                return memfs_verify_error(w->v, error, &detail);
            newer->held[at - 1] = chunk + 1;
        }
        *out = newer->refs[at - 1][index >> MEMFS_REFS_SHIFT * (at - 1 - level) & (MEMFS_REFS_PER_CHUNK - 1)];
    }
    *found = 1;
    return 0;
}

static int same_ref(const struct memfs_ref *one, const struct memfs_ref *other)
{
    return one->offset == other->offset && one->hash == other->hash && one->stored == other->stored &&
           one->raw == other->raw && one->codec == other->codec;
}

/* Does a shared chunk of refs stand for the same records in both? Not necessarily the
 * last one of a table, if there are not as many. */
static int same_below(const struct walk *w, unsigned table, unsigned level, uint64_t index)
{
    const uint64_t here = w->root.table[table].count, there = w->newer.root.table[table].count;
    const uint64_t end = (index + 1) << MEMFS_REFS_SHIFT * level; /* in chunks */
    return here == there || (end < memfs_chunk_total(table, here) && end < memfs_chunk_total(table, there));
}

/* ---- One generation ------------------------------------------------------------------ */

static int visit(struct walk *w, unsigned table, unsigned level, uint64_t index, const struct memfs_ref *ref, int *down)
{
    struct memfs_ref newer;
    int shared;
    *down = 0;
    if (find_newer(w, table, level, index, &newer, &shared))
        return 1;
    shared = shared && same_ref(ref, &newer);
    if (shared && (level == 0 || same_below(w, table, level, index))) {
        w->shared |= table == MEMFS_DATA;
        return memfs_verify_work(w->v, 0);
    }
    if (!shared && add_range(w, memfs_table_name(table), ref->offset, ref->stored))
        return 1;
    if (level == 0)
        return visit_leaf(w, table, index, ref);
    return memfs_verify_progress(w->v, shared ? 0 : ref->stored, 0) || descend(w, table, level, index, ref, down);
}

/* Depth first, in the order of the refs. */
static int walk_table(struct walk *w, unsigned table)
{
    const struct memfs_root_table *in = &w->root.table[table];
    const uint64_t chunks = memfs_chunk_total(table, in->count);
    const unsigned height = memfs_refs_height(chunks);
    unsigned level = height;
    memset(w->newer.held, 0, sizeof w->newer.held);
    w->level[level] = (struct level){in->refs, 0, (size_t)memfs_refs_width(chunks, height), 0};
    for (;;) {
        struct level *here = &w->level[level];
        if (here->at == here->count) {
            if (level++ == height)
                return 0;
            continue;
        }
        const struct memfs_ref *ref = &here->refs[here->at];
        const uint64_t index = here->first + here->at++;
        int down;
        const int stop = visit(w, table, level, index, ref, &down);
        if (stop)
            return stop;
        if (down)
            level--;
    }
}

static int check_block_sums(struct walk *w)
{
    if (w->broken || w->shared || (w->raw_bytes == w->root.raw_bytes && w->stored_bytes == w->root.stored_bytes))
        return 0;
    return memfs_verify_finding(w->v, MEMFS_ECORRUPT, w->trailer.root_offset,
                                "root: its blocks have %" PRIu64 " bytes, %" PRIu64 " stored; it says %" PRIu64
                                " and %" PRIu64,
                                w->raw_bytes, w->stored_bytes, w->root.raw_bytes, w->root.stored_bytes);
}

static int walk_generation(struct walk *w)
{
    w->raw_bytes = w->stored_bytes = 0;
    w->shared = 0;
    for (unsigned i = 0; i < MEMFS_IMAGE_TABLES; i++) {
        /* The data blocks stand first in the file. */
        const int stop = walk_table(w, (i + MEMFS_DATA) % MEMFS_IMAGE_TABLES);
        if (stop)
            return stop;
    }
    if (add_range(w, "root", w->trailer.root_offset, w->trailer.root_length) ||
        add_range(w, "trailer", w->trailer.offset, MEMFS_TRAILER_BYTES) ||
        memfs_verify_progress(w->v, w->trailer.root_length + MEMFS_TRAILER_BYTES, 0))
        return 1;
    return check_block_sums(w);
}

/* ---- Generations ------------------------------------------------------------------------ */

static int read_root(struct walk *w, struct memfs_detail *detail)
{
    struct memfs_image *image = w->v->image;
    const struct memfs_trailer *trailer = &w->trailer;
    int error = memfs_worker_stored(&image->workers, w->worker, trailer->root_length);
    if (!error)
        error = memfs_image_read(image, trailer->root_offset, w->worker->stored, trailer->root_length);
    if (error)
        return memfs_detail_fill(detail, error, trailer->root_offset, "cannot read an earlier root: %s",
                                 memfs_strerror(error));
    if (memfs_hash(w->worker->stored, trailer->root_length) != trailer->root_hash)
        return memfs_detail_fill(detail, MEMFS_ECHECKSUM, trailer->root_offset,
                                 "root of generation %" PRIu32 ": its checksum does not match", trailer->generation);
    return memfs_root_decode(w->worker->stored, trailer->root_length, &image->header, trailer, &w->root, detail);
}

/* Goes from a generation to the one before: its trailer and root. Offsets only
 * fall, since each trailer stands before the next one's root. */
static int step_back(struct walk *w, struct memfs_detail *detail)
{
    struct memfs_image *image = w->v->image;
    const struct memfs_trailer later = w->trailer;
    uint8_t bytes[MEMFS_TRAILER_BYTES];
    int error = memfs_image_read(image, later.previous, bytes, sizeof bytes);
    if (error)
        return memfs_detail_fill(detail, error, later.previous, "cannot read an earlier trailer: %s",
                                 memfs_strerror(error));
    error = memfs_trailer_decode(bytes, later.previous, &w->trailer, detail);
    if (error)
        return error;
    if (w->trailer.generation != later.generation - 1 || w->trailer.header_hash != later.header_hash)
        return memfs_detail_fill(detail, MEMFS_ECORRUPT, later.previous,
                                 "trailer: it is not of generation %" PRIu32 ", or of another image",
                                 later.generation - 1);
    return read_root(w, detail);
}

static int same_generation(const struct memfs_generation *one, const struct memfs_generation *other)
{
    return one->trailer == other->trailer && one->time == other->time && one->generation == other->generation &&
           one->has_time == other->has_time;
}

/* What the newer root tells of earlier generations: of this one what it is, of those
 * before it the same as this one's root does. */
static int check_told(struct walk *w)
{
    const struct memfs_root *newer = &w->newer.root;
    const struct memfs_generation this = {w->trailer.offset, w->root.time, w->trailer.generation, w->root.has_time};
    for (uint32_t i = 0; i < newer->generations; i++) {
        const struct memfs_generation *expected = i == 0 ? &this : &w->root.generation[i - 1];
        if (!same_generation(&newer->generation[i], expected))
            return memfs_verify_finding(w->v, MEMFS_ECORRUPT, w->newer.trailer.root_offset,
                                        "root of generation %" PRIu32 ": what it tells of generation %" PRIu32
                                        " is not so",
                                        w->newer.trailer.generation, expected->generation);
    }
    return 0;
}

static int check_tiling(struct walk *w)
{
    const uint64_t size = w->v->image->source.size;
    struct memfs_range range;
    size_t at = 0;
    uint64_t from = 0;
    memfs_ranges_sort(&w->ranges);
    while (memfs_ranges_overlap(&w->ranges, &at, &range)) {
        w->v->tables_broken = 1;
        if (memfs_verify_finding(w->v, MEMFS_ECORRUPT, range.offset,
                                 "%" PRIu64 " bytes belong to two parts of the image", range.end - range.offset) ||
            memfs_verify_work(w->v, 0))
            return 1;
    }
    at = 0;
    while (memfs_ranges_gap(&w->ranges, &at, &from, size, &range))
        if (memfs_verify_finding(w->v, MEMFS_ECORRUPT, range.offset, "%" PRIu64 " bytes belong to nothing",
                                 range.end - range.offset) ||
            memfs_verify_work(w->v, 0))
            return 1;
    return 0;
}

static int walk_generations(struct walk *w)
{
    if (add_range(w, "header", 0, MEMFS_HEADER_BYTES))
        return 1;
    for (;;) {
        const int stop = walk_generation(w);
        if (stop)
            return stop;
        if (w->trailer.previous == 0)
            break;
        w->newer.exists = 1;
        w->newer.trailer = w->trailer;
        w->newer.root = w->root;
        struct memfs_detail detail = {0};
        const int error = step_back(w, &detail);
        if (error)
            return memfs_verify_error(w->v, error, &detail);
        if (check_told(w))
            return 1;
    }
    return w->broken ? 0 : check_tiling(w);
}

int memfs_verify_stored(struct memfs_verifying *v)
{
    struct memfs_image *image = v->image;
    struct walk *w = memfs_alloc_zeroed(&image->allocator, sizeof *w);
    if (!w)
        return memfs_verify_no_memory(v);
    w->v = v;
    w->trailer = image->trailer;
    w->root = image->root;
    memfs_ranges_begin(&w->ranges, &image->allocator);
    const int stop = memfs_worker_take(&image->workers, &w->worker) ? memfs_verify_no_memory(v) : walk_generations(w);
    memfs_worker_put(&image->workers, w->worker);
    memfs_ranges_end(&w->ranges);
    memfs_free(&image->allocator, w, sizeof *w);
    return stop;
}
