#include "contents.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

#define EXTENTS_SHIFT 10
#define SHOWN 150               /* bytes of a path that a text shows */
#define PENDING_MOST (1u << 18) /* bytes that wait to be kept, since a part may yet grow back into them */
#define LOOKS_AHEAD 8           /* marks whose places in the table are fetched before they are needed */

/* Bytes of a part at least. A reference takes about five bytes of an image, and a piece
 * more to be read; shorter parts cost more than they save (measured with 192 to 512 on
 * versions of one program, and on a source tree). */
#define PART_LEAST 320u

int memfs_contents_begin(struct memfs_contents *contents, struct memfs_order *order, struct memfs_blocks *blocks,
                         const struct memfs_means *means)
{
    struct memfs_freezing *job = order->job;
    const struct memfs_freeze_options *options = &job->options;
    *contents = (struct memfs_contents){.job = job, .order = order, .blocks = blocks};
    memfs_rows_begin(&contents->extents, &job->allocator, sizeof(struct memfs_extent_row), EXTENTS_SHIFT);
    int error = memfs_window_begin(&contents->window, &job->allocator, options->block_size, means->reach, means->slabs);
    memfs_parts_begin(&contents->parts, &job->allocator, &contents->window);
    if (!error)
        error = memfs_share_begin(&contents->share, order, &contents->window, &contents->extents);
    if (!error)
        error = memfs_ahead_begin(&contents->ahead, order, means->units, options->share == MEMFS_SHARE_PARTS,
                                  options->share != MEMFS_SHARE_NONE);
    return error;
}

void memfs_contents_close(struct memfs_contents *contents)
{
    memfs_ahead_end(&contents->ahead);
    memfs_share_end(&contents->share);
    memfs_parts_end(&contents->parts);
    memfs_window_end(&contents->window);
}

void memfs_contents_end(struct memfs_contents *contents)
{
    memfs_contents_close(contents);
    memfs_rows_end(&contents->extents);
}

/* ---- Extents ------------------------------------------------------------------- */

static int add_row(struct memfs_contents *contents, const struct memfs_extent_row *row)
{
    if (contents->extents.count >= MEMFS_COUNT_MAX)
        return memfs_freezing_fail(contents->job, MEMFS_ELIMIT, "an image holds no more than %u extents",
                                   MEMFS_COUNT_MAX);
    struct memfs_extent_row *place = memfs_rows_add(&contents->extents);
    if (!place)
        return -ENOMEM;
    *place = *row;
    return 0;
}

/* Bytes of the file that are those of a block from `start` on; what continues the
 * extent before makes it longer. */
static int add_in_block(struct memfs_contents *contents, uint64_t offset, uint32_t length, uint64_t block,
                        uint32_t start)
{
    const uint64_t count = contents->extents.count;
    if (block >= MEMFS_COUNT_MAX)
        return memfs_freezing_fail(contents->job, MEMFS_ELIMIT, "an image holds no more than %u blocks",
                                   MEMFS_COUNT_MAX);
    struct memfs_extent_row *last = count > contents->first ? memfs_rows_at(&contents->extents, count - 1) : NULL;
    if (last && last->block == block && memfs_extent_row_offset(last) + last->length == offset &&
        last->start + last->length == start) {
        last->length += length;
        return 0;
    }
    return add_row(contents, &(struct memfs_extent_row){(uint32_t)offset, (uint32_t)(offset >> 32), length,
                                                        (uint32_t)block, start});
}

/* The same for bytes of the stream, which may go on in the next block. */
static int add_extents(struct memfs_contents *contents, uint64_t offset, uint64_t at, size_t length)
{
    const uint32_t block_size = memfs_window_block_size(&contents->window);
    while (length) {
        const uint32_t start = (uint32_t)(at & (block_size - 1));
        const size_t part = length < block_size - start ? length : block_size - start;
        int error = add_in_block(contents, offset, (uint32_t)part, at >> contents->window.shift, start);
        if (error)
            return error;
        offset += part;
        at += part;
        length -= part;
    }
    return 0;
}

/* The file gets the same extents as an earlier one. */
static int copy_extents(struct memfs_contents *contents, const struct memfs_order_node *earlier)
{
    int error = 0;
    for (uint32_t i = 0; i < earlier->run.count && !error; i++) {
        const struct memfs_extent_row row =
            *(const struct memfs_extent_row *)memfs_rows_at(&contents->extents, (uint64_t)earlier->run.first + i);
        contents->data += row.length;
        error = add_row(contents, &row);
    }
    return error;
}

/* ---- Keeping --------------------------------------------------------------------- */

/* The block that the stream has just filled, or ends in, goes to be compressed; the slab
 * of the one that comes next has to be free. */
static int end_block(struct memfs_contents *contents)
{
    const struct memfs_window *window = &contents->window;
    const uint64_t block = (window->end - 1) >> window->shift;
    const size_t length = (size_t)(window->end - (block << window->shift));
    int error = memfs_blocks_add(contents->blocks, MEMFS_DATA, memfs_window_block(window, block), length);
    if (!error && block + 1 >= window->count)
        error = memfs_blocks_settle(contents->blocks, block + 2 - window->count);
    return error;
}

static int keep(struct memfs_contents *contents, const uint8_t *bytes, size_t length)
{
    struct memfs_window *window = &contents->window;
    while (length) {
        size_t room;
        uint8_t *to = memfs_window_room(window, &room);
        if (!to)
            return -ENOMEM;
        const size_t part = length < room ? length : room;
        memcpy(to, bytes, part);
        window->end += part;
        bytes += part;
        length -= part;
        int error = part == room ? end_block(contents) : 0;
        if (error)
            return error;
    }
    return 0;
}

/* ---- Equal parts ------------------------------------------------------------------- */

/* One run of a unit on its way into the stream. Bytes are numbered within the unit. */
struct feed {
    struct memfs_contents *contents;
    const uint8_t *bytes;
    uint64_t offset; /* in the file, of the unit's byte 0 (modulo 2^64) */
    uint32_t done;   /* bytes before this are kept, or referred to */
    uint32_t end;
    const struct memfs_mark *marks, *marks_end; /* of the bytes from `done` on */
};

/* Keeps bytes up to `to`, and remembers their marks. */
static int feed_keep(struct feed *feed, uint32_t to)
{
    struct memfs_contents *contents = feed->contents;
    const uint64_t at = contents->window.end;
    const uint32_t from = feed->done;
    int error = add_extents(contents, feed->offset + from, at, to - from);
    if (!error)
        error = keep(contents, feed->bytes + from, to - from);
    for (; !error && feed->marks < feed->marks_end && feed->marks->at < to; feed->marks++)
        error = memfs_parts_add(&contents->parts, feed->marks->hash, at + (feed->marks->at - from));
    feed->done = to;
    return error;
}

/* Refers to a part that was found around a mark, after keeping what is before it. */
static int feed_refer(struct feed *feed, const struct memfs_mark *mark, const struct memfs_part *part)
{
    const uint32_t from = mark->at - (uint32_t)part->before;
    int error = feed->done < from ? feed_keep(feed, from) : 0;
    if (!error)
        error = add_extents(feed->contents, feed->offset + from, part->at, part->length);
    feed->done = from + (uint32_t)part->length;
    while (feed->marks < feed->marks_end && feed->marks->at < feed->done)
        feed->marks++;
    return error;
}

static int feed_run(struct feed *feed)
{
    const struct memfs_parts *parts = &feed->contents->parts;
    const struct memfs_mark *mark = feed->marks;
    int error = 0;
    for (; mark < feed->marks_end && !error; mark++) {
        struct memfs_part part;
        if (mark + LOOKS_AHEAD < feed->marks_end)
            memfs_parts_prefetch(parts, mark[LOOKS_AHEAD].hash);
        if (mark->at < feed->done)
            continue;
        if (memfs_parts_find(parts, mark->hash, feed->bytes + mark->at, mark->at - feed->done, feed->end - mark->at,
                             PART_LEAST, &part))
            error = feed_refer(feed, mark, &part);
        else if (mark->at - feed->done > PENDING_MOST)
            error = feed_keep(feed, mark->at - PENDING_MOST / 2);
    }
    if (!error && feed->done < feed->end)
        error = feed_keep(feed, feed->end);
    return error;
}

/* Of a unit without marks there is no place for them either. */
static const struct memfs_mark *marks_end(const struct memfs_unit *unit)
{
    return unit->marks ? unit->marks + unit->mark_count : NULL;
}

/* The data of a piece, whose marks begin at *marks, which moves. */
static int feed_piece(struct memfs_contents *contents, const struct memfs_unit *unit, const struct memfs_piece *piece,
                      const struct memfs_mark **marks)
{
    const struct memfs_mark *end = marks_end(unit);
    int error = 0;
    for (uint32_t i = 0; i < piece->runs && !error; i++) {
        const struct memfs_run *run = &unit->runs[piece->run + i];
        struct feed feed = {.contents = contents,
                            .bytes = unit->bytes,
                            .offset = piece->offset - piece->at,
                            .done = run->at,
                            .end = run->at + run->length,
                            .marks = *marks};
        while (unit->marks && *marks < end && (*marks)->at < feed.end)
            ++*marks;
        feed.marks_end = *marks;
        error = feed_run(&feed);
    }
    return error;
}

/* ---- Files ------------------------------------------------------------------------- */

static void set_digest(struct memfs_order_node *node, uint64_t digest)
{
    node->digest.low = (uint32_t)digest;
    node->digest.high = (uint32_t)(digest >> 32);
}

static void begin_file(struct memfs_contents *contents, const struct memfs_piece *piece)
{
    if (contents->number == piece->number)
        return;
    contents->number = piece->number;
    contents->first = (uint32_t)contents->extents.count;
    contents->done = 0;
    contents->data = 0;
    if (piece->kind != MEMFS_PIECE_WHOLE)
        memfs_digest_begin(&contents->digest);
}

/* All extents of the file are there. */
static void end_file(struct memfs_contents *contents, const struct memfs_piece *piece)
{
    struct memfs_order_node *node = memfs_order_at(contents->order, piece->number);
    node->run.count = (uint32_t)(contents->extents.count - contents->first);
    node->run.first = node->run.count ? contents->first : 0;
    contents->data_bytes = memfs_freezing_sum(contents->data_bytes, contents->data);
    contents->content_bytes = memfs_freezing_sum(contents->content_bytes, piece->size);
    contents->job->progress.bytes = contents->content_bytes;
    contents->done = 1;
}

/* If an earlier file is equal, that is all there is to do. content: NULL for a large file. */
static int take_equal(struct memfs_contents *contents, const struct memfs_piece *piece, const uint8_t *content)
{
    struct memfs_order_node *node = memfs_order_at(contents->order, piece->number);
    uint32_t earlier = 0;
    int error =
        memfs_share_find(&contents->share, piece->digest, memfs_order_handle(node), piece->size, content, &earlier);
    if (error || !earlier)
        return error;
    set_digest(node, piece->digest);
    error = copy_extents(contents, memfs_order_at(contents->order, earlier));
    if (!error)
        end_file(contents, piece);
    return error;
}

static void count_data(struct memfs_contents *contents, const struct memfs_unit *unit, const struct memfs_piece *piece)
{
    for (uint32_t i = 0; i < piece->runs; i++)
        contents->data += unit->runs[piece->run + i].length;
}

/* Later files may be equal to one that has been taken. */
static int may_be_shared(struct memfs_contents *contents, const struct memfs_piece *piece)
{
    if (contents->job->options.share == MEMFS_SHARE_NONE || contents->data == 0)
        return 0;
    return memfs_share_add(&contents->share, piece->number);
}

static int take_whole(struct memfs_contents *contents, const struct memfs_unit *unit, const struct memfs_piece *piece,
                      const struct memfs_mark **marks)
{
    int error = 0;
    if (contents->job->options.share != MEMFS_SHARE_NONE && piece->runs > 0)
        error = take_equal(contents, piece, unit->bytes + piece->at);
    if (error || contents->done)
        return error;
    count_data(contents, unit, piece);
    set_digest(memfs_order_at(contents->order, piece->number), piece->digest);
    error = feed_piece(contents, unit, piece, marks);
    if (error)
        return error;
    end_file(contents, piece);
    return may_be_shared(contents, piece);
}

static int take_part(struct memfs_contents *contents, const struct memfs_unit *unit, const struct memfs_piece *piece,
                     const struct memfs_mark **marks)
{
    memfs_digest_add_gap(&contents->digest, piece->offset - contents->digest.offset);
    memfs_digest_add(&contents->digest, unit->bytes + piece->at, piece->length);
    count_data(contents, unit, piece);
    contents->job->progress.bytes = memfs_freezing_sum(contents->content_bytes, piece->offset + piece->length);
    return feed_piece(contents, unit, piece, marks);
}

static int take_end(struct memfs_contents *contents, const struct memfs_piece *piece)
{
    memfs_digest_add_gap(&contents->digest, piece->size - contents->digest.offset);
    set_digest(memfs_order_at(contents->order, piece->number), memfs_digest_end(&contents->digest));
    end_file(contents, piece);
    return may_be_shared(contents, piece);
}

/* ---- Files that cannot be read --------------------------------------------------------- */

/* Asks whether a file may be left out. 0: yes. */
static int ask(struct memfs_contents *contents, const struct memfs_piece *piece)
{
    struct memfs_freezing *job = contents->job;
    const char *text = memfs_strerror(piece->error);
    size_t size;
    char *path = memfs_order_path(contents->order, piece->directory, piece->entry, &size);
    if (!path)
        return -ENOMEM;
    const struct memfs_problem problem = {MEMFS_PROBLEM_FILE, piece->error, path, "its contents cannot be read"};
    int keep_out = job->options.problem && job->options.problem(job->options.problem_context, &problem) == 0;
    if (!keep_out) {
        int cut = size - 1 > SHOWN;
        memfs_freezing_fail(job, piece->error, "%s%s: cannot read its contents: %s", cut ? "..." : "",
                            cut ? path + size - 1 - SHOWN : path, text);
    }
    memfs_free(&job->allocator, path, size);
    return keep_out ? 0 : piece->error;
}

/* What it has in blocks already stays there, and nobody refers to it but by chance. */
static int leave_out(struct memfs_contents *contents, const struct memfs_piece *piece)
{
    int error = ask(contents, piece);
    if (error)
        return error;
    struct memfs_order_node *node = memfs_order_at(contents->order, piece->number);
    contents->extents.count = contents->first;
    node->dropped = 1;
    contents->dropped++;
    contents->done = 1;
    return 0;
}

/* ---- All files --------------------------------------------------------------------------- */

static int take_piece(struct memfs_contents *contents, const struct memfs_unit *unit, const struct memfs_piece *piece,
                      const struct memfs_mark **marks)
{
    int error = 0;
    begin_file(contents, piece);
    if (contents->done)
        return 0;
    if (piece->error)
        error = leave_out(contents, piece);
    else if (piece->kind == MEMFS_PIECE_WHOLE)
        return take_whole(contents, unit, piece, marks);
    else if (piece->kind == MEMFS_PIECE_TWIN)
        error = take_equal(contents, piece, NULL);
    else if (piece->kind == MEMFS_PIECE_PART)
        error = take_part(contents, unit, piece, marks);
    else
        error = take_end(contents, piece);
    if (contents->done)
        memfs_ahead_enough(&contents->ahead, piece->number);
    return error;
}

static int take_unit(struct memfs_contents *contents, const struct memfs_unit *unit)
{
    struct memfs_freezing *job = contents->job;
    const struct memfs_mark *marks = unit->marks;
    int error = 0;
    for (size_t i = 0; i < unit->piece_count && !error; i++) {
        const struct memfs_piece *piece = &unit->pieces[i];
        error = take_piece(contents, unit, piece, &marks);
        /* Marks of files that were equal, or left out, are nobody's. */
        while (marks < marks_end(unit) && marks->at < piece->at + piece->length)
            marks++;
        job->progress.nodes = piece->number;
        if (!error)
            error = memfs_freezing_progress(job, MEMFS_WORK_NODE);
    }
    return error;
}

int memfs_contents_take(struct memfs_contents *contents)
{
    struct memfs_unit *unit;
    int error;
    while ((error = memfs_ahead_take(&contents->ahead, &unit)) == 0 && unit) {
        error = take_unit(contents, unit);
        if (!error)
            error = memfs_blocks_write_ready(contents->blocks);
        if (error)
            return error;
        memfs_ahead_give(&contents->ahead);
    }
    const struct memfs_window *window = &contents->window;
    if (!error && (window->end & (memfs_window_block_size(window) - 1)) != 0)
        error = end_block(contents);
    return error ? error : memfs_blocks_finish(contents->blocks);
}
