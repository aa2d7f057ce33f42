/*
 * Verifying an image whole: the parts' order, and what they share.
 */
#include "verify.h"

#include "alloc.h"
#include "columns.h"
#include "detail.h"
#include "pool.h"
#include "sized.h"
#include "verify_window.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BYTES_MAX_LEAST ((uint64_t)64 << 30)
#define BYTES_MAX_RATIO 1024u
#define WORK_TOLD ((uint64_t)4 << 20) /* bytes between two calls of the progress function */
#define WORK_NODE 256u                /* what a node counts as */
#define WORK_CALL 64u                 /* what the counting of work counts as */
#define CACHE_MOST ((uint64_t)32 << 20)
#define PATH_SHOWN 96u /* bytes of a longer path in a text: the last ones */

/* ---- Findings ------------------------------------------------------------------- */

/* path may be NULL. */
static int report_of(struct memfs_verifying *v, const struct memfs_detail *finding, const char *path)
{
    if (v->findings++ == 0)
        v->first = *finding;
    /* With nobody to tell more to, the first is all that is wanted. */
    if (!v->options.finding)
        v->stopped = 1;
    /* An image can be wrong in a thousand million records: those are only counted. */
    else if (v->findings <= MEMFS_FINDINGS_TOLD)
        v->stopped = (path ? v->options.file_finding(v->options.finding_context, finding, path)
                           : v->options.finding(v->options.finding_context, finding)) != 0;
    return v->stopped;
}

static int report(struct memfs_verifying *v, const struct memfs_detail *finding)
{
    return report_of(v, finding, NULL);
}

static void tell_of_more(struct memfs_verifying *v)
{
    if (!v->options.finding || v->findings <= MEMFS_FINDINGS_TOLD)
        return;
    struct memfs_detail finding;
    memfs_detail_fill(&finding, v->first.error, MEMFS_NOWHERE, "and %" PRIu64 " more",
                      v->findings - MEMFS_FINDINGS_TOLD);
    v->options.finding(v->options.finding_context, &finding);
}

int memfs_verify_finding(struct memfs_verifying *v, int error, uint64_t offset, const char *format, ...)
{
    struct memfs_detail finding = {.error = error, .offset = offset};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    return report(v, &finding);
}

/* In a text: what would break its line is '?'. */
static void show_path(const char *path, char text[PATH_SHOWN + 4])
{
    const size_t length = strlen(path);
    snprintf(text, PATH_SHOWN + 4, "%s%.*s", length > PATH_SHOWN ? "..." : "", (int)PATH_SHOWN,
             length > PATH_SHOWN ? path + length - PATH_SHOWN : path);
    for (char *at = text; *at; at++)
        *at = (unsigned char)*at < ' ' || *at == 127 ? '?' : *at;
}

int memfs_verify_file_finding(struct memfs_verifying *v, int error, uint64_t node, const struct memfs_verify_path *path,
                              const char *text)
{
    const char *whole = path->text + path->start;
    char shown[PATH_SHOWN + 4] = "";
    struct memfs_detail finding;
    const int is_apart = whole[0] && v->options.file_finding;
    if (!is_apart)
        show_path(whole, shown);
    memfs_detail_fill(&finding, error, MEMFS_NOWHERE, "node %" PRIu64 "%s%s: %s", node, shown[0] ? ", " : "", shown,
                      text);
    return report_of(v, &finding, is_apart ? whole : NULL);
}

int memfs_verify_record(struct memfs_verifying *v, enum memfs_table table, uint64_t index, const char *format, ...)
{
    static const char *const names[MEMFS_BACKED] = {"node", "entry", "extent", "attribute", "blob at", "digest"};
    const uint64_t chunk = index / memfs_chunk_capacity(table);
    struct memfs_ref ref;
    struct memfs_detail finding = {.error = MEMFS_ECORRUPT, .offset = MEMFS_NOWHERE};
    if (memfs_image_find_ref(v->image, table, chunk, &ref, NULL) == 0)
        finding.offset = ref.offset;
    const int used = snprintf(finding.text, sizeof finding.text, "%s: chunk %" PRIu64 ": %s %" PRIu64 ": ",
                              memfs_table_name(table), chunk, names[table], index);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.text + used, sizeof finding.text - (size_t)used, format, arguments);
    va_end(arguments);
    return report(v, &finding);
}

int memfs_verify_error(struct memfs_verifying *v, int error, const struct memfs_detail *detail)
{
    if (error <= MEMFS_ENOTIMAGE && error >= MEMFS_ELIMIT)
        return report(v, detail);
    v->failure = error;
    v->first = *detail; /* it is returned, whatever was found before */
    if (detail->error == 0)
        memfs_detail_fill(&v->first, error, MEMFS_NOWHERE, "cannot verify: %s", memfs_strerror(error));
    return 1;
}

int memfs_verify_no_memory(struct memfs_verifying *v)
{
    struct memfs_detail detail;
    memfs_detail_fill(&detail, -ENOMEM, MEMFS_NOWHERE, "no memory to verify an image");
    return memfs_verify_error(v, -ENOMEM, &detail);
}

int memfs_verify_progress(struct memfs_verifying *v, uint64_t bytes, uint64_t nodes)
{
    v->progress.bytes += bytes;
    v->progress.nodes += nodes;
    return memfs_verify_work(v, bytes + nodes * WORK_NODE);
}

int memfs_verify_work(struct memfs_verifying *v, uint64_t work)
{
    v->untold += work + WORK_CALL;
    if (v->untold < WORK_TOLD)
        return 0;
    v->untold = 0;
    memfs_cache_trim(&v->image->cache, v->cache_most);
    if (!v->options.progress)
        return 0;
    struct memfs_progress told = v->progress;
    if (told.bytes > told.bytes_total) /* which an image can get wrong */
        told.bytes = told.bytes_total;
    if (v->options.progress(v->options.progress_context, &told) == 0)
        return 0;
    v->failure = -ECANCELED;
    memfs_detail_fill(&v->first, -ECANCELED, MEMFS_NOWHERE, "verifying was cancelled");
    return 1;
}

/* ---- Limits ---- */

uint64_t memfs_verify_bytes_max(const struct memfs_verifying *v)
{
    const uint64_t size = v->image->source.size;
    if (v->options.bytes_max > 0)
        return v->options.bytes_max;
    const uint64_t limit = size > UINT64_MAX / BYTES_MAX_RATIO ? UINT64_MAX : size * BYTES_MAX_RATIO;
    return limit < BYTES_MAX_LEAST ? BYTES_MAX_LEAST : limit;
}

int memfs_verify_over_limit(struct memfs_verifying *v, const char *what, uint64_t limit)
{
    memfs_verify_finding(v, MEMFS_ELIMIT, MEMFS_NOWHERE,
                         "not checked whole: %s exceeds the limit of %" PRIu64 " bytes; a higher limit allows it", what,
                         limit);
    return 1;
}

int memfs_verify_decoded(struct memfs_verifying *v, uint64_t bytes)
{
    const uint64_t given = v->options.decoded_max, limit = given > 0 ? given : memfs_verify_bytes_max(v);
    v->decoded += bytes;
    return v->decoded <= limit ? 0 : memfs_verify_over_limit(v, "what has to be decoded", limit);
}

/* ---- Records one after the other -------------------------------------------------- */

void memfs_look_end(struct memfs_verifying *v, struct memfs_look *look)
{
    if (look->data)
        memfs_image_ops.unpin(&v->image->backing, &look->pin);
    look->data = NULL;
}

int memfs_look_chunk(struct memfs_verifying *v, struct memfs_look *look, enum memfs_table table, uint64_t index)
{
    const uint64_t chunk = index / memfs_chunk_capacity(table);
    if (look->data && look->chunk == chunk)
        return 0;
    memfs_look_end(v, look);
    if (memfs_verify_work(v, MEMFS_VERIFY_CHUNK))
        return 1;
    if (index >= v->image->root.table[table].count) { /* each was in range when it was checked */
        memfs_verify_finding(v, MEMFS_ECORRUPT, MEMFS_NOWHERE,
                             "%s: number %" PRIu64 " is asked for, which is not there", memfs_table_name(table), index);
        return 1;
    }
    if (!memfs_image_is_resident(v->image, table, chunk) &&
        memfs_verify_decoded(v, memfs_chunk_raw_least(table, memfs_chunk_capacity(table))))
        return 1;
    struct memfs_detail detail = {0};
    const int error = memfs_image_load(v->image, table, chunk, &look->pin, &look->data, &detail);
    if (error) {
        look->data = NULL;
        v->tables_broken = 1;
        memfs_verify_error(v, error, &detail);
        return 1;
    }
    look->chunk = chunk;
    return 0;
}

int memfs_look_node(struct memfs_verifying *v, struct memfs_look *look, uint64_t index,
                    const struct memfs_node_record **out)
{
    const int stop = memfs_look_chunk(v, look, MEMFS_NODES, index);
    if (!stop)
        *out = (const struct memfs_node_record *)look->data + index % MEMFS_CHUNK_RECORDS;
    return stop;
}

int memfs_look_entry(struct memfs_verifying *v, struct memfs_look *look, uint64_t index, const struct memfs_entry **out,
                     const char **name)
{
    const int stop = memfs_look_chunk(v, look, MEMFS_ENTRIES, index);
    if (stop)
        return stop;
    *out = (const struct memfs_entry *)look->data + index % MEMFS_CHUNK_RECORDS;
    *name = memfs_entry_name(look->data, *out);
    return 0;
}

int memfs_look_extent(struct memfs_verifying *v, struct memfs_look *look, uint64_t index,
                      const struct memfs_extent **out)
{
    const int stop = memfs_look_chunk(v, look, MEMFS_EXTENTS, index);
    if (!stop)
        *out = (const struct memfs_extent *)look->data + index % MEMFS_CHUNK_RECORDS;
    return stop;
}

int memfs_look_xattr(struct memfs_verifying *v, struct memfs_look *look, uint64_t index, const struct memfs_xattr **out)
{
    const int stop = memfs_look_chunk(v, look, MEMFS_XATTRS, index);
    if (!stop)
        *out = (const struct memfs_xattr *)look->data + index % MEMFS_CHUNK_RECORDS;
    return stop;
}

int memfs_look_digest(struct memfs_verifying *v, struct memfs_look *look, uint64_t index, uint64_t *out)
{
    const int stop = memfs_look_chunk(v, look, MEMFS_DIGESTS, index);
    if (!stop)
        *out = ((const uint64_t *)look->data)[index % MEMFS_CHUNK_RECORDS];
    return stop;
}

int memfs_look_blob(struct memfs_verifying *v, struct memfs_look *look, uint64_t offset, const char **out)
{
    const int stop = memfs_look_chunk(v, look, MEMFS_BLOBS, offset);
    if (!stop)
        *out = (const char *)look->data + offset % MEMFS_BLOB_BYTES;
    return stop;
}

/* ---- The whole -------------------------------------------------------------------------- */

/* Nodes cost memory, and cost next to nothing in an image if they need not have
 * names: whether they can all have one is asked before anything else. */
static int check_counts(struct memfs_verifying *v)
{
    const struct memfs_root *root = &v->image->root;
    const uint64_t nodes = root->table[MEMFS_NODES].count, entries = root->table[MEMFS_ENTRIES].count;
    if (nodes - 2 <= entries)
        return 0;
    memfs_verify_finding(v, MEMFS_ECORRUPT, v->image->trailer.root_offset,
                         "root: no entry names some nodes: there are %" PRIu64
                         " besides the root directory, and %" PRIu64 " entries",
                         nodes - 2, entries);
    return 1;
}

/* The first data blocks are decoded meanwhile. */
static void check_in_order(struct memfs_verifying *v)
{
    memfs_verify_window_begin(v->window);
    if (memfs_verify_chunks(v) || v->tables_broken)
        return;
    if (memfs_verify_tree(v) || memfs_verify_xattrs(v) || memfs_verify_heap(v))
        return;
    memfs_verify_contents(v);
}

static void check_records(struct memfs_verifying *v)
{
    if (check_counts(v))
        return;
    if (memfs_verify_window_create(v, &v->window))
        memfs_verify_no_memory(v);
    else
        check_in_order(v);
    memfs_verify_window_destroy(v->window);
    v->window = NULL;
}

/* Whatever keeps records from being checked, all stored bytes are. */
static void check_all(struct memfs_verifying *v)
{
    if (!memfs_verify_stored(v) && !v->options.quick && !v->tables_broken)
        check_records(v);
    if (!v->failure && !v->stopped)
        memfs_verify_blocks(v);
}

static int make(struct memfs_verifying *v, size_t blocks)
{
    const struct memfs_allocator *allocator = &v->image->allocator;
    v->block_raw = memfs_alloc_array(allocator, blocks + 1, sizeof *v->block_raw);
    v->block_done = memfs_alloc_zeroed(allocator, memfs_bits_bytes(blocks));
    if (!v->block_raw || !v->block_done)
        return -ENOMEM;
    memset(v->block_raw, 0, (blocks + 1) * sizeof *v->block_raw);
    return memfs_pool_create(allocator, v->options.threads, &v->pool);
}

int memfs_verify(memfs_image *image, const struct memfs_verify_options *options, struct memfs_detail *detail)
{
    struct memfs_verifying v = {.image = image};
    int error = memfs_sized_take(&v.options, sizeof v.options, options, detail);
    if (error)
        return error;
    /* Everything is looked at once: that is no reason to keep it, nor to drive out
     * what others use. */
    const uint64_t cached = atomic_load(&image->cache.bytes);
    v.cache_most = cached > CACHE_MOST ? cached : CACHE_MOST;
    v.progress.bytes_total = image->source.size + (v.options.quick ? 0 : image->root.raw_bytes);
    v.progress.nodes_total = v.options.quick ? 0 : image->root.table[MEMFS_NODES].count - 1;
    const size_t blocks = (size_t)image->root.table[MEMFS_DATA].count;
    error = make(&v, blocks);
    if (error)
        memfs_verify_no_memory(&v);
    else
        check_all(&v);
    if (!v.failure)
        tell_of_more(&v);
    memfs_pool_destroy(v.pool);
    memfs_free(&image->allocator, v.block_raw, (blocks + 1) * sizeof *v.block_raw);
    memfs_free(&image->allocator, v.block_done, memfs_bits_bytes(blocks));
    if (detail && (v.findings > 0 || v.failure))
        *detail = v.first;
    return v.failure ? v.failure : v.findings > 0 ? v.first.error : 0;
}
