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

#define PIECE_BYTES ((size_t)256 << 10) /* read and hashed at once */

/* One level of a tree of refs, on the way through it. */
struct level {
    const struct memfs_ref *refs;
    uint64_t first; /* number of refs[0] in its level */
    size_t count, at;
};

/* One generation. */
struct walk {
    struct memfs_verifying *v;
    struct memfs_worker *worker;
    struct memfs_trailer trailer;
    struct memfs_root root;
    struct memfs_ranges own, *all; /* ranges of this generation, and of all */
    uint64_t raw_bytes, stored_bytes;
    int newest;
    int broken; /* not all refs could be had */
    struct level level[MEMFS_REFS_HEIGHT + 1];
    struct memfs_ref refs[MEMFS_REFS_HEIGHT][MEMFS_REFS_PER_CHUNK];
};

static int no_memory(struct memfs_verifying *v)
{
    struct memfs_detail detail;
    memfs_detail_fill(&detail, -ENOMEM, MEMFS_NOWHERE, "no memory to verify an image");
    return memfs_verify_error(v, -ENOMEM, &detail);
}

static int add_range(struct walk *w, uint64_t offset, uint64_t length)
{
    if (memfs_ranges_add(&w->own, offset, length) || memfs_ranges_add(w->all, offset, length))
        return no_memory(w->v);
    return 0;
}

/* ---- Hashes ------------------------------------------------------------------------ */

static int hash_stored(struct walk *w, const struct memfs_ref *ref, uint64_t *hash)
{
    struct memfs_image *image = w->v->image;
    struct memfs_hasher hasher;
    memfs_hasher_begin(&hasher);
    int error = memfs_worker_stored(&image->workers, w->worker, PIECE_BYTES);
    for (uint32_t at = 0; !error && at < ref->stored;) {
        const size_t piece = ref->stored - at < PIECE_BYTES ? ref->stored - at : PIECE_BYTES;
        error = memfs_image_read(image, ref->offset + at, w->worker->stored, piece);
        if (!error)
            memfs_hasher_add(&hasher, w->worker->stored, piece);
        at += (uint32_t)piece;
    }
    *hash = memfs_hasher_end(&hasher);
    return error;
}

static int check_hash(struct walk *w, unsigned table, uint64_t index, const struct memfs_ref *ref)
{
    uint64_t hash;
    const char *what = table == MEMFS_DATA ? "block" : "chunk";
    const int error = hash_stored(w, ref, &hash);
    if (error) {
        struct memfs_detail detail;
        memfs_detail_fill(&detail, error, ref->offset, "%s: cannot read %s %" PRIu64 ": %s", memfs_table_name(table),
                          what, index, memfs_strerror(error));
        return memfs_verify_error(w->v, error, &detail);
    }
    if (hash == ref->hash)
        return 0;
    if (table != MEMFS_DATA)
        w->v->tables_broken = 1;
    return memfs_verify_finding(w->v, MEMFS_ECHECKSUM, ref->offset,
                                "%s: the %" PRIu32 " bytes of %s %" PRIu64 " have checksum %016" PRIx64
                                ", expected %016" PRIx64,
                                memfs_table_name(table), ref->stored, what, index, hash, ref->hash);
}

/* ---- Trees of refs ------------------------------------------------------------------- */

static int visit_leaf(struct walk *w, unsigned table, uint64_t index, const struct memfs_ref *ref)
{
    if (table == MEMFS_DATA) {
        w->raw_bytes += ref->raw;
        w->stored_bytes += ref->stored;
        if (w->newest && w->v->block_raw)
            w->v->block_raw[index] = ref->raw;
    }
    return check_hash(w, table, index, ref);
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

/* Depth first, in the order of the refs. What the refs cover together is bounded
 * by the file's size, since otherwise some overlap: that bounds the walk, too. */
static int walk_table(struct walk *w, unsigned table)
{
    const struct memfs_root_table *in = &w->root.table[table];
    const uint64_t chunks = memfs_chunk_total(table, in->count);
    const unsigned height = memfs_refs_height(chunks);
    unsigned level = height;
    uint64_t covered = 0;
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
        covered += ref->stored;
        if (covered > w->trailer.root_offset) {
            w->broken = w->v->tables_broken = 1;
            return memfs_verify_finding(w->v, MEMFS_ECORRUPT, ref->offset,
                                        "%s: its blocks overlap: together they are longer than the image",
                                        memfs_table_name(table));
        }
        if (add_range(w, ref->offset, ref->stored) || memfs_verify_progress(w->v, ref->stored, 0))
            return 1;
        int down = 0;
        const int stop = level > 0 ? descend(w, table, level, index, ref, &down) : visit_leaf(w, table, index, ref);
        if (stop)
            return stop;
        if (down)
            level--;
    }
}

static int check_overlaps(struct walk *w)
{
    struct memfs_range overlap;
    size_t at = 0;
    memfs_ranges_sort(&w->own);
    while (memfs_ranges_overlap(&w->own, &at, &overlap)) {
        w->v->tables_broken = 1;
        if (memfs_verify_finding(w->v, MEMFS_ECORRUPT, overlap.offset,
                                 "%" PRIu64 " bytes belong to two blocks of one generation",
                                 overlap.end - overlap.offset))
            return 1;
    }
    return 0;
}

static int walk_generation(struct walk *w)
{
    w->raw_bytes = w->stored_bytes = 0;
    if (add_range(w, 0, MEMFS_HEADER_BYTES))
        return 1;
    for (unsigned i = 0; i < MEMFS_IMAGE_TABLES; i++) {
        /* The data blocks stand first in the file. */
        const int stop = walk_table(w, (i + MEMFS_DATA) % MEMFS_IMAGE_TABLES);
        if (stop)
            return stop;
    }
    if (add_range(w, w->trailer.root_offset, w->trailer.root_length) ||
        add_range(w, w->trailer.offset, MEMFS_TRAILER_BYTES))
        return 1;
    if (!w->broken && (w->raw_bytes != w->root.raw_bytes || w->stored_bytes != w->root.stored_bytes) &&
        memfs_verify_finding(w->v, MEMFS_ECORRUPT, w->trailer.root_offset,
                             "root: its blocks have %" PRIu64 " bytes, %" PRIu64 " stored; it says %" PRIu64
                             " and %" PRIu64,
                             w->raw_bytes, w->stored_bytes, w->root.raw_bytes, w->root.stored_bytes))
        return 1;
    return check_overlaps(w);
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

static int check_gaps(struct walk *w)
{
    const uint64_t size = w->v->image->source.size;
    struct memfs_range gap;
    uint64_t from = 0;
    memfs_ranges_sort(w->all);
    while (memfs_ranges_gap(w->all, &from, size, &gap))
        if (memfs_verify_finding(w->v, MEMFS_ECORRUPT, gap.offset, "%" PRIu64 " bytes belong to nothing",
                                 gap.end - gap.offset))
            return 1;
    return 0;
}

static int walk_generations(struct walk *w)
{
    for (;;) {
        memfs_ranges_begin(&w->own, &w->v->image->allocator);
        int stop = walk_generation(w);
        memfs_ranges_end(&w->own);
        if (stop)
            return stop;
        if (w->trailer.previous == 0)
            break;
        struct memfs_detail detail = {0};
        const int error = step_back(w, &detail);
        if (error)
            return memfs_verify_error(w->v, error, &detail);
        w->newest = 0;
    }
    return w->broken ? 0 : check_gaps(w);
}

int memfs_verify_stored(struct memfs_verifying *v)
{
    struct memfs_image *image = v->image;
    struct memfs_ranges all;
    memfs_ranges_begin(&all, &image->allocator);
    struct walk *w = memfs_alloc_zeroed(&image->allocator, sizeof *w);
    int stop = 1;
    if (!w || memfs_worker_take(&image->workers, &w->worker)) {
        no_memory(v);
        goto out;
    }
    w->v = v;
    w->all = &all;
    w->newest = 1;
    w->trailer = image->trailer;
    w->root = image->root;
    stop = walk_generations(w);
    memfs_worker_put(&image->workers, w->worker);
out:
    memfs_free(&image->allocator, w, sizeof *w);
    memfs_ranges_end(&all);
    return stop;
}
