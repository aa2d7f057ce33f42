#include "contents.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1 << 20) /* files up to this are read whole, once */
#define EXTENTS_SHIFT 10
#define SHOWN 150 /* bytes of a path that a text shows */

/* What is done with the bytes of a file as they come. */
struct feed {
    struct memfs_contents *contents;
    struct memfs_hasher *hasher; /* NULL: no digest is wanted */
    int store;                   /* into blocks */
    uint64_t hole, hole_length;  /* that may still grow */
    uint64_t data;               /* bytes that are in no hole */
};

int memfs_contents_begin(struct memfs_contents *contents, struct memfs_order *order, struct memfs_block_sink sink)
{
    struct memfs_freezing *job = order->job;
    *contents = (struct memfs_contents){.job = job, .order = order, .sink = sink};
    memfs_rows_begin(&contents->extents, &job->allocator, sizeof(struct memfs_extent_row), EXTENTS_SHIFT);
    contents->block = memfs_alloc(&job->allocator, job->options.block_size);
    contents->buffer = memfs_alloc(&job->allocator, BUFFER_BYTES);
    if (!contents->block || !contents->buffer)
        return -ENOMEM;
    return memfs_share_begin(&contents->share, order);
}

void memfs_contents_close(struct memfs_contents *contents)
{
    if (!contents->job)
        return;
    const struct memfs_allocator *allocator = &contents->job->allocator;
    memfs_free(allocator, contents->block, contents->job->options.block_size);
    memfs_free(allocator, contents->buffer, BUFFER_BYTES);
    contents->block = contents->buffer = NULL;
    memfs_share_end(&contents->share);
}

void memfs_contents_end(struct memfs_contents *contents)
{
    memfs_contents_close(contents);
    memfs_rows_end(&contents->extents);
}

/* ---- Into blocks --------------------------------------------------------------- */

static int flush(struct memfs_contents *contents)
{
    if (!contents->fill)
        return 0;
    int error = contents->sink.put(contents->sink.context, contents->block, contents->fill);
    if (error)
        return error;
    contents->fill = 0;
    contents->number++;
    return memfs_freezing_progress(contents->job, MEMFS_WORK_TOLD); /* compressing one may take long */
}

static uint64_t offset_of(const struct memfs_extent_row *row)
{
    return (uint64_t)row->offset_high << 32 | row->offset_low;
}

static int add_extent(struct memfs_contents *contents, uint64_t offset, uint32_t length)
{
    uint64_t count = contents->extents.count;
    if (count > contents->first) {
        struct memfs_extent_row *last = memfs_rows_at(&contents->extents, count - 1);
        if (last->block == contents->number && offset_of(last) + last->length == offset &&
            (size_t)last->start + last->length == contents->fill) {
            last->length += length;
            return 0;
        }
    }
    if (count >= MEMFS_COUNT_MAX)
        return memfs_freezing_fail(contents->job, MEMFS_ELIMIT, "an image holds no more than %u extents",
                                   MEMFS_COUNT_MAX);
    struct memfs_extent_row *row = memfs_rows_add(&contents->extents);
    if (!row)
        return -ENOMEM;
    *row = (struct memfs_extent_row){(uint32_t)offset, (uint32_t)(offset >> 32), length, contents->number,
                                     (uint32_t)contents->fill};
    return 0;
}

static int store(struct memfs_contents *contents, uint64_t offset, const uint8_t *data, size_t length)
{
    while (length) {
        size_t room = contents->job->options.block_size - contents->fill;
        int error = room ? 0 : flush(contents);
        if (error)
            return error;
        if (!room)
            continue;
        if (contents->number >= MEMFS_COUNT_MAX)
            return memfs_freezing_fail(contents->job, MEMFS_ELIMIT, "an image holds no more than %u blocks",
                                       MEMFS_COUNT_MAX);
        size_t part = length < room ? length : room;
        error = add_extent(contents, offset, (uint32_t)part);
        if (error)
            return error;
        memcpy(contents->block + contents->fill, data, part);
        contents->fill += part;
        offset += part;
        data += part;
        length -= part;
    }
    return 0;
}

/* ---- Bytes as they come -------------------------------------------------------- */

static void end_hole(struct feed *feed)
{
    if (feed->hole_length && feed->hasher)
        memfs_hasher_add_hole(feed->hasher, feed->hole, feed->hole_length);
    feed->hole_length = 0;
}

static void feed_hole(struct feed *feed, uint64_t offset, uint64_t length)
{
    if (!feed->hole_length)
        feed->hole = offset;
    feed->hole_length += length;
}

static int feed_data(struct feed *feed, uint64_t offset, const uint8_t *data, size_t length)
{
    end_hole(feed);
    feed->data += length;
    if (feed->hasher)
        memfs_hasher_add(feed->hasher, data, length);
    return feed->store ? store(feed->contents, offset, data, length) : 0;
}

static int is_zero(const uint8_t *page, size_t length)
{
    return page[0] == 0 && memcmp(page, page + 1, length - 1) == 0;
}

/* Bytes that begin at a page, and end at one or with the file: tells its holes
 * from its data. */
static int feed_bytes(struct feed *feed, uint64_t offset, const uint8_t *bytes, size_t length)
{
    size_t data = 0; /* begins here, if it is before `at` */
    for (size_t at = 0; at < length;) {
        size_t page = length - at < MEMFS_HOLE_BYTES ? length - at : MEMFS_HOLE_BYTES;
        if (is_zero(bytes + at, page)) {
            int error = at > data ? feed_data(feed, offset + data, bytes + data, at - data) : 0;
            if (error)
                return error;
            feed_hole(feed, offset + at, page);
            data = at + page;
        }
        at += page;
    }
    return length > data ? feed_data(feed, offset + data, bytes + data, length - data) : 0;
}

/* An error of reading the file, which the problem function may excuse; lack of
 * memory, or of patience, says nothing about the file. */
static int reading(struct memfs_contents *contents, int error)
{
    contents->unreadable = error && error != -ENOMEM && error != -EMFILE && error != -ENFILE && error != -ECANCELED;
    return error;
}

/* The next data at or after at, which begins at a page: [*from, *to), grown to
 * whole pages; both are size if there is none. */
static int find_data(struct memfs_contents *contents, memfs_node node, uint64_t at, uint64_t size, uint64_t *from,
                     uint64_t *to)
{
    const uint64_t within = MEMFS_HOLE_BYTES - 1;
    memfs *fs = contents->job->fs;
    *from = *to = size;
    int64_t data = memfs_node_seek(fs, node, at, MEMFS_SEEK_DATA);
    if (data == -ENXIO || (data >= 0 && (uint64_t)data >= size))
        return 0;
    if (data < 0)
        return reading(contents, (int)data);
    int64_t hole = memfs_node_seek(fs, node, (uint64_t)data, MEMFS_SEEK_HOLE);
    if (hole < 0)
        return reading(contents, (int)hole);
    uint64_t first = (uint64_t)data & ~within;
    *from = first < at ? at : first;
    uint64_t end = ((uint64_t)hole + within) & ~within;
    *to = end <= *from || end > size ? size : end;
    return 0;
}

/* So much of the file has been read. */
static int tell(struct memfs_contents *contents, uint64_t done, size_t length)
{
    struct memfs_progress *progress = &contents->job->progress;
    uint64_t bytes = memfs_freezing_sum(contents->content_bytes, done);
    if (progress->bytes < bytes) /* a large file may be read twice */
        progress->bytes = bytes;
    return memfs_freezing_progress(contents->job, length);
}

static int feed_file(struct feed *feed, memfs_node node, uint64_t size)
{
    struct memfs_contents *contents = feed->contents;
    for (uint64_t at = 0; at < size;) {
        uint64_t from, to;
        int error = find_data(contents, node, at, size, &from, &to);
        if (error)
            return error;
        if (from > at)
            feed_hole(feed, at, from - at);
        if (to - from > BUFFER_BYTES)
            to = from + BUFFER_BYTES; /* and ask again: not every backing knows where data ends */
        for (at = from; at < to;) {
            size_t length = to - at < BUFFER_BYTES ? (size_t)(to - at) : BUFFER_BYTES;
            error = reading(contents, memfs_share_read(contents->job->fs, node, at, contents->buffer, length));
            if (!error)
                error = feed_bytes(feed, at, contents->buffer, length);
            if (!error)
                error = tell(contents, at + length, length);
            if (error)
                return error;
            at += length;
        }
    }
    return 0;
}

/* ---- One file ------------------------------------------------------------------ */

static void set_digest(struct memfs_order_node *node, uint64_t digest)
{
    node->digest.low = (uint32_t)digest;
    node->digest.high = (uint32_t)(digest >> 32);
}

/* All of the file has been fed. */
static void end_digest(struct feed *feed, struct memfs_order_node *node)
{
    end_hole(feed);
    set_digest(node, memfs_hasher_end(feed->hasher));
}

/* The file gets the same extents as an earlier one. */
static int copy_extents(struct memfs_contents *contents, const struct memfs_order_node *earlier)
{
    for (uint32_t i = 0; i < earlier->run.count; i++) {
        if (contents->extents.count >= MEMFS_COUNT_MAX)
            return memfs_freezing_fail(contents->job, MEMFS_ELIMIT, "an image holds no more than %u extents",
                                       MEMFS_COUNT_MAX);
        struct memfs_extent_row *row = memfs_rows_add(&contents->extents);
        if (!row)
            return -ENOMEM;
        *row = *(struct memfs_extent_row *)memfs_rows_at(&contents->extents, (uint64_t)earlier->run.first + i);
    }
    return 0;
}

/* Up to the size of the buffer: read once. */
static int read_small(struct memfs_contents *contents, struct memfs_order_node *node, uint32_t number, uint64_t size)
{
    memfs_node handle = memfs_order_handle(node);
    struct memfs_hasher hasher;
    struct feed feed = {.contents = contents, .hasher = &hasher};
    memfs_hasher_begin(&hasher);
    int error = reading(contents, memfs_share_read(contents->job->fs, handle, 0, contents->buffer, (size_t)size));
    if (!error)
        error = feed_bytes(&feed, 0, contents->buffer, (size_t)size);
    if (error)
        return error;
    end_digest(&feed, node);
    contents->data_bytes = memfs_freezing_sum(contents->data_bytes, feed.data);
    if (!feed.data)
        return 0;
    uint32_t earlier;
    error = memfs_share_find(&contents->share, memfs_order_digest(node), handle, size, contents->buffer, &earlier);
    if (error)
        return error;
    if (earlier)
        return copy_extents(contents, memfs_order_at(contents->order, earlier));
    struct feed second = {.contents = contents, .store = 1};
    error = feed_bytes(&second, 0, contents->buffer, (size_t)size);
    return error ? error : memfs_share_add(&contents->share, number);
}

/* A larger file is read for its digest first only if there is something that
 * it may be equal to. *earlier is 0 if there is nothing. */
static int find_large(struct memfs_contents *contents, struct memfs_order_node *node, uint64_t size, uint32_t *earlier)
{
    *earlier = 0;
    if (!memfs_share_knows_size(&contents->share, size))
        return 0;
    struct memfs_hasher hasher;
    struct feed feed = {.contents = contents, .hasher = &hasher};
    memfs_hasher_begin(&hasher);
    int error = feed_file(&feed, memfs_order_handle(node), size);
    if (error)
        return error;
    end_digest(&feed, node);
    error = reading(contents, memfs_share_find(&contents->share, memfs_order_digest(node), memfs_order_handle(node),
                                               size, NULL, earlier));
    if (!error && *earlier)
        contents->data_bytes = memfs_freezing_sum(contents->data_bytes, feed.data);
    return error;
}

static int read_large(struct memfs_contents *contents, struct memfs_order_node *node, uint32_t number, uint64_t size)
{
    uint32_t earlier;
    int error = find_large(contents, node, size, &earlier);
    if (error)
        return error;
    if (earlier)
        return copy_extents(contents, memfs_order_at(contents->order, earlier));
    struct memfs_hasher hasher;
    struct feed feed = {.contents = contents, .hasher = &hasher, .store = 1};
    memfs_hasher_begin(&hasher);
    error = feed_file(&feed, memfs_order_handle(node), size);
    if (error)
        return error;
    end_digest(&feed, node);
    contents->data_bytes = memfs_freezing_sum(contents->data_bytes, feed.data);
    if (!feed.data)
        return 0;
    error = memfs_share_add(&contents->share, number);
    return error ? error : memfs_share_add_size(&contents->share, size);
}

/* ---- All files ------------------------------------------------------------------ */

/* Asks whether a file may be left out. 0: yes. */
static int ask(struct memfs_contents *contents, int error)
{
    struct memfs_freezing *job = contents->job;
    const char *text = memfs_strerror(error);
    size_t size;
    char *path = memfs_order_path(contents->order, contents->directory, contents->entry, &size);
    if (!path)
        return -ENOMEM;
    const char *below = path[0] == '/' ? path + 1 : path;
    const struct memfs_problem problem = {MEMFS_PROBLEM_FILE, error, below, "its contents cannot be read"};
    int keep_out = job->options.problem && job->options.problem(job->options.problem_context, &problem) == 0;
    if (!keep_out) {
        int cut = size - 1 > SHOWN;
        memfs_freezing_fail(job, error, "%s%s: cannot read its contents: %s", cut ? "..." : "",
                            cut ? path + size - 1 - SHOWN : path, text);
    }
    memfs_free(&job->allocator, path, size);
    return keep_out ? 0 : error;
}

static int read_file(struct memfs_contents *contents, struct memfs_order_node *node, uint32_t number)
{
    struct memfs_stat stat;
    int error = memfs_node_stat(contents->job->fs, memfs_order_handle(node), &stat);
    if (error)
        return error;
    if (MEMFS_TYPE(stat.mode) != node->type)
        return memfs_freezing_fail(contents->job, MEMFS_ECORRUPT, "node %u has type %u, its entry says %u",
                                   node->number, MEMFS_TYPE(stat.mode), node->type);
    error = stat.size <= BUFFER_BYTES ? read_small(contents, node, number, stat.size)
                                      : read_large(contents, node, number, stat.size);
    if (error)
        return error;
    contents->content_bytes = memfs_freezing_sum(contents->content_bytes, stat.size);
    contents->job->progress.bytes = contents->content_bytes;
    node->run.count = (uint32_t)(contents->extents.count - contents->first);
    node->run.first = node->run.count ? contents->first : 0;
    return 0;
}

/* Reads a file, or leaves it out; then what it has put into the block that
 * fills now is taken back. */
static int take_file(struct memfs_contents *contents, uint32_t number)
{
    struct memfs_order_node *node = memfs_order_at(contents->order, number);
    uint32_t block = contents->number;
    size_t fill = contents->fill;
    contents->first = (uint32_t)contents->extents.count;
    contents->unreadable = 0;
    int error = read_file(contents, node, number);
    if (!error || !contents->unreadable)
        return error;
    error = ask(contents, error);
    if (error)
        return error;
    memfs_rows_cut(&contents->extents, contents->first);
    contents->fill = contents->number == block ? fill : 0;
    node->dropped = 1;
    contents->dropped++;
    return 0;
}

int memfs_contents_read(struct memfs_contents *contents)
{
    const struct memfs_order *order = contents->order;
    uint32_t next = 2; /* node that has not been met yet */
    for (uint32_t directory = 1; directory; directory = memfs_order_next_directory(order, directory)) {
        const struct memfs_order_node *node = memfs_order_at(order, directory);
        for (uint32_t i = 0; i < node->run.count; i++) {
            const struct memfs_entry_row *row = memfs_entries_at(&order->entries, (uint64_t)node->run.first + i);
            if (row->node != next)
                continue;
            next++;
            contents->directory = directory;
            contents->entry = node->run.first + i;
            int error = row->type == MEMFS_TYPE(MEMFS_IFREG) ? take_file(contents, row->node) : 0;
            contents->job->progress.nodes++;
            if (!error)
                error = memfs_freezing_progress(contents->job, MEMFS_WORK_NODE);
            if (error)
                return error;
        }
    }
    return flush(contents);
}
