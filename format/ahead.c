#include "ahead.h"

#include "alloc.h"
#include "host_map.h"
#include "random.h"
#include "zeros.h"

#include <errno.h>
#include <string.h>

#define SIZES_FIRST 64u

/* ---- Reading: on any thread ------------------------------------------------------ */

/* The next data at or after `at`, which begins at a page: [*from, *to), grown to whole
 * pages; both are size if there is none. */
static int find_data(memfs *fs, memfs_node node, uint64_t at, uint64_t size, uint64_t *from, uint64_t *to)
{
    const uint64_t within = MEMFS_HOLE_BYTES - 1;
    *from = *to = size;
    int64_t data = memfs_node_seek(fs, node, at, MEMFS_SEEK_DATA);
    if (data == -ENXIO || (data >= 0 && (uint64_t)data >= size))
        return 0;
    if (data < 0)
        return (int)data;
    int64_t hole = memfs_node_seek(fs, node, (uint64_t)data, MEMFS_SEEK_HOLE);
    if (hole < 0)
        return (int)hole;
    uint64_t first = (uint64_t)data & ~within;
    *from = first < at ? at : first;
    uint64_t end = ((uint64_t)hole + within) & ~within;
    *to = end <= *from || end > size ? size : end;
    return 0;
}

/* A range of a large file, its holes as zeros. */
static int read_range(memfs *fs, memfs_node node, uint64_t size, uint64_t offset, uint8_t *buffer, size_t length)
{
    const uint64_t end = offset + length;
    for (uint64_t at = offset; at < end;) {
        uint64_t from, to;
        int error = find_data(fs, node, at, size, &from, &to);
        if (error)
            return error;
        from = from < end ? from : end;
        to = to < end ? to : end;
        memset(buffer + (at - offset), 0, (size_t)(from - at));
        if (to > from)
            error = memfs_freezing_read(fs, node, from, buffer + (from - offset), (size_t)(to - from));
        if (error)
            return error;
        at = to;
    }
    return 0;
}

/* The runs of a piece, which begins at a page of its file. */
static void find_runs(struct memfs_unit *unit, struct memfs_piece *piece)
{
    struct memfs_run *run = NULL;
    piece->run = (uint32_t)unit->run_count;
    for (uint32_t at = 0; at < piece->length;) {
        const uint32_t left = piece->length - at, page = left < MEMFS_HOLE_BYTES ? left : MEMFS_HOLE_BYTES;
        if (memfs_all_zero(unit->bytes + piece->at + at, page)) {
            run = NULL;
        } else if (run) {
            run->length += page;
        } else {
            run = &unit->runs[unit->run_count++];
            *run = (struct memfs_run){piece->at + at, page};
        }
        at += page;
    }
    piece->runs = (uint32_t)unit->run_count - piece->run;
}

static void find_marks(struct memfs_unit *unit, const struct memfs_piece *piece)
{
    const struct memfs_gear *gear = unit->ahead->gear;
    for (uint32_t i = 0; gear && i < piece->runs; i++) {
        const struct memfs_run *run = &unit->runs[piece->run + i];
        unit->mark_count +=
            memfs_gear_marks(gear, unit->bytes + run->at, run->length, run->at, unit->marks + unit->mark_count);
    }
}

static uint64_t digest_whole(const struct memfs_unit *unit, const struct memfs_piece *piece)
{
    const uint8_t *bytes = unit->bytes + piece->at;
    if (piece->runs == 1 && unit->runs[piece->run].length == piece->length)
        return memfs_digest_of(bytes, piece->length);
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    memfs_digest_add(&digest, bytes, piece->length);
    return memfs_digest_end(&digest);
}

/* The digest of a large file, whose bytes nobody needs. */
static int digest_large(struct memfs_unit *unit, struct memfs_piece *piece, memfs_node node)
{
    memfs *fs = unit->ahead->job->fs;
    struct memfs_digest digest;
    memfs_digest_begin(&digest);
    for (uint64_t at = 0; at < piece->size;) {
        uint64_t from, to;
        int error = find_data(fs, node, at, piece->size, &from, &to);
        if (error)
            return error;
        to = to - from < MEMFS_UNIT_BYTES ? to : from + MEMFS_UNIT_BYTES;
        memfs_digest_add_gap(&digest, from - at);
        error = memfs_freezing_read(fs, node, from, unit->bytes, (size_t)(to - from));
        if (error)
            return error;
        memfs_digest_add(&digest, unit->bytes, (size_t)(to - from));
        at = to;
    }
    piece->digest = memfs_digest_end(&digest);
    return 0;
}

static int read_piece(struct memfs_unit *unit, struct memfs_piece *piece)
{
    struct memfs_ahead *ahead = unit->ahead;
    memfs_node node = memfs_order_handle(memfs_order_at(ahead->order, piece->number));
    uint8_t *bytes = unit->bytes + piece->at;
    if (piece->kind == MEMFS_PIECE_TWIN)
        return digest_large(unit, piece, node);
    int error = piece->kind == MEMFS_PIECE_WHOLE
                    ? memfs_freezing_read(ahead->job->fs, node, 0, bytes, piece->length)
                    : read_range(ahead->job->fs, node, piece->size, piece->offset, bytes, piece->length);
    if (error)
        return error;
    find_runs(unit, piece);
    find_marks(unit, piece);
    if (piece->kind == MEMFS_PIECE_WHOLE)
        piece->digest = digest_whole(unit, piece);
    return 0;
}

static void run_unit(struct memfs_job *work, unsigned worker)
{
    struct memfs_unit *unit = (struct memfs_unit *)work;
    (void)worker;
    for (size_t i = 0; i < unit->piece_count && !unit->error; i++) {
        struct memfs_piece *piece = &unit->pieces[i];
        if (!piece->error)
            piece->error = read_piece(unit, piece);
        if (memfs_freezing_is_general(piece->error))
            unit->error = piece->error;
    }
}

/* ---- Sizes of large files ---------------------------------------------------------- */

/* Where a size stands, or would. */
static size_t size_place(const struct memfs_ahead *ahead, const uint64_t *sizes, size_t room, uint64_t size)
{
    size_t at = (size_t)memfs_host_hash(ahead->secret, &size, sizeof size) & (room - 1);
    while (sizes[at] && sizes[at] != size)
        at = (at + 1) & (room - 1);
    return at;
}

static int grow_sizes(struct memfs_ahead *ahead)
{
    const struct memfs_allocator *allocator = &ahead->job->allocator;
    size_t room = ahead->sizes_room ? ahead->sizes_room * 2 : SIZES_FIRST;
    uint64_t *sizes = room <= SIZE_MAX / sizeof *sizes ? memfs_alloc_zeroed(allocator, room * sizeof *sizes) : NULL;
    if (!sizes)
        return -ENOMEM;
    for (size_t i = 0; i < ahead->sizes_room; i++)
        if (ahead->sizes[i])
            sizes[size_place(ahead, sizes, room, ahead->sizes[i])] = ahead->sizes[i];
    memfs_free(allocator, ahead->sizes, ahead->sizes_room * sizeof *sizes);
    ahead->sizes = sizes;
    ahead->sizes_room = room;
    return 0;
}

/* *known: whether there has been a large file of that size; from now on there has. */
static int note_size(struct memfs_ahead *ahead, uint64_t size, int *known)
{
    int error = ahead->sizes_used >= ahead->sizes_room / 2 ? grow_sizes(ahead) : 0;
    if (error)
        return error;
    size_t at = size_place(ahead, ahead->sizes, ahead->sizes_room, size);
    *known = ahead->sizes[at] != 0;
    ahead->sizes_used += !*known;
    ahead->sizes[at] = size;
    return 0;
}

/* ---- Planning ------------------------------------------------------------------------ */

/* The next file that has not been met: its directory and entry; 0 at the end. */
static uint32_t next_file(struct memfs_ahead *ahead, uint32_t *entry)
{
    const struct memfs_order *order = ahead->order;
    for (; ahead->directory; ahead->directory = memfs_order_next_directory(order, ahead->directory), ahead->entry = 0) {
        const struct memfs_order_node *node = memfs_order_at(order, ahead->directory);
        while (ahead->entry < node->run.count) {
            *entry = node->run.first + ahead->entry++;
            const struct memfs_entry_row *row = memfs_entries_at(&order->entries, *entry);
            if (row->node != ahead->next)
                continue;
            ahead->next++;
            if (row->type == MEMFS_TYPE(MEMFS_IFREG))
                return row->node;
        }
    }
    return 0;
}

static struct memfs_piece *add_piece(struct memfs_unit *unit, enum memfs_piece_kind kind, uint32_t number,
                                     uint32_t entry, uint64_t size)
{
    struct memfs_piece *piece = &unit->pieces[unit->piece_count++];
    *piece = (struct memfs_piece){.kind = kind,
                                  .number = number,
                                  .directory = unit->ahead->directory,
                                  .entry = entry,
                                  .size = size,
                                  .at = (uint32_t)unit->used};
    return piece;
}

/* The next part of the file of which parts are to come, or its end. */
static void plan_large(struct memfs_ahead *ahead, struct memfs_unit *unit)
{
    const uint64_t size = ahead->large_size;
    memfs_node node = memfs_order_handle(memfs_order_at(ahead->order, ahead->large));
    struct memfs_piece *piece = add_piece(unit, MEMFS_PIECE_END, ahead->large, ahead->large_entry, size);
    uint64_t from = size, to = size;
    if (ahead->large != ahead->enough)
        piece->error = find_data(ahead->job->fs, node, ahead->large_at, size, &from, &to);
    piece->offset = from;
    if (piece->error || from >= size) {
        ahead->large = 0;
        return;
    }
    piece->kind = MEMFS_PIECE_PART;
    to = (from / MEMFS_UNIT_BYTES + 1) * MEMFS_UNIT_BYTES;
    to = to < size ? to : size;
    piece->length = (uint32_t)(to - from);
    ahead->large_at = to;
    unit->used += piece->length;
}

/* Begins a large file. Its twin, if there may be one, takes a unit of its own. */
static int begin_large(struct memfs_ahead *ahead, struct memfs_unit *unit, uint32_t number, uint32_t entry,
                       uint64_t size)
{
    int known = 0;
    int error = ahead->twins ? note_size(ahead, size, &known) : 0;
    if (error)
        return error;
    ahead->large = number;
    ahead->large_entry = entry;
    ahead->large_size = size;
    ahead->large_at = 0;
    if (known)
        add_piece(unit, MEMFS_PIECE_TWIN, number, entry, size);
    else
        plan_large(ahead, unit);
    return 0;
}

static int stat_file(struct memfs_ahead *ahead, uint32_t number, uint64_t *size)
{
    const struct memfs_order_node *node = memfs_order_at(ahead->order, number);
    struct memfs_stat stat;
    int error = memfs_node_stat(ahead->job->fs, memfs_order_handle(node), &stat);
    if (error)
        return error;
    if (MEMFS_TYPE(stat.mode) != node->type)
        return memfs_freezing_fail(ahead->job, MEMFS_ECORRUPT, "node %u has type %u, its entry says %u", node->number,
                                   MEMFS_TYPE(stat.mode), node->type);
    *size = stat.size;
    return 0;
}

/* Fills a unit with files, until one does not fit: that is looked at again. */
static int plan_files(struct memfs_ahead *ahead, struct memfs_unit *unit)
{
    while (unit->piece_count < MEMFS_UNIT_PIECES) {
        const uint32_t next = ahead->next, at = ahead->entry, directory = ahead->directory;
        uint32_t entry = 0, number = next_file(ahead, &entry);
        uint64_t size = 0;
        int error = number ? stat_file(ahead, number, &size) : 0;
        if (error || !number)
            return error;
        if (size <= MEMFS_UNIT_BYTES - unit->used) {
            struct memfs_piece *piece = add_piece(unit, MEMFS_PIECE_WHOLE, number, entry, size);
            piece->length = (uint32_t)size;
            unit->used += (size_t)size;
        } else if (unit->piece_count) {
            ahead->next = next;
            ahead->entry = at;
            ahead->directory = directory;
            return 0;
        } else {
            return begin_large(ahead, unit, number, entry, size);
        }
    }
    return 0;
}

/* Plans as many units as there is room for, and has them read. */
static int plan(struct memfs_ahead *ahead)
{
    while (ahead->planned - ahead->taken < ahead->units_count) {
        struct memfs_unit *unit = &ahead->units[ahead->planned % ahead->units_count];
        unit->piece_count = unit->run_count = unit->mark_count = unit->used = 0;
        unit->error = 0;
        int error = 0;
        if (ahead->large)
            plan_large(ahead, unit);
        else
            error = plan_files(ahead, unit);
        if (error || !unit->piece_count)
            return error;
        unit->work.run = run_unit;
        memfs_pool_submit(ahead->job->pool, &unit->work, 0);
        ahead->planned++;
    }
    return 0;
}

int memfs_ahead_take(struct memfs_ahead *ahead, struct memfs_unit **out)
{
    *out = NULL;
    int error = plan(ahead);
    if (error || ahead->planned == ahead->taken)
        return error;
    struct memfs_unit *unit = &ahead->units[ahead->taken % ahead->units_count];
    error = memfs_freezing_wait(ahead->job, &unit->work);
    if (!error)
        error = unit->error;
    if (!error)
        *out = unit;
    return error;
}

void memfs_ahead_give(struct memfs_ahead *ahead)
{
    ahead->taken++;
}

void memfs_ahead_enough(struct memfs_ahead *ahead, uint32_t number)
{
    ahead->enough = number;
}

/* ---- Life ---------------------------------------------------------------------------- */

#define PIECES_BYTES (MEMFS_UNIT_PIECES * sizeof(struct memfs_piece))
#define RUNS_BYTES (MEMFS_UNIT_RUNS * sizeof(struct memfs_run))
#define MARKS_BYTES (MEMFS_UNIT_MARKS * sizeof(struct memfs_mark))

size_t memfs_unit_bytes(void)
{
    return sizeof(struct memfs_unit) + MEMFS_UNIT_BYTES + PIECES_BYTES + RUNS_BYTES + MARKS_BYTES;
}

static int make_unit(struct memfs_ahead *ahead, struct memfs_unit *unit)
{
    const struct memfs_allocator *allocator = &ahead->job->allocator;
    unit->ahead = ahead;
    unit->bytes = memfs_alloc(allocator, MEMFS_UNIT_BYTES);
    unit->pieces = memfs_alloc(allocator, PIECES_BYTES);
    unit->runs = memfs_alloc(allocator, RUNS_BYTES);
    unit->marks = ahead->gear ? memfs_alloc(allocator, MARKS_BYTES) : NULL;
    return unit->bytes && unit->pieces && unit->runs && (unit->marks || !ahead->gear) ? 0 : -ENOMEM;
}

int memfs_ahead_begin(struct memfs_ahead *ahead, struct memfs_order *order, size_t units, int marks, int twins)
{
    const struct memfs_allocator *allocator = &order->job->allocator;
    *ahead = (struct memfs_ahead){.job = order->job,
                                  .order = order,
                                  .twins = twins,
                                  .units_count = units,
                                  .directory = 1,
                                  .next = 2,
                                  .secret = memfs_random()};
    ahead->units = memfs_alloc_zeroed(allocator, units * sizeof *ahead->units);
    if (!ahead->units)
        return -ENOMEM;
    if (marks) {
        ahead->gear = memfs_alloc(allocator, sizeof *ahead->gear);
        if (!ahead->gear)
            return -ENOMEM;
        memfs_gear_init(ahead->gear);
    }
    int error = 0;
    for (size_t i = 0; i < units && !error; i++)
        error = make_unit(ahead, &ahead->units[i]);
    return error;
}

void memfs_ahead_end(struct memfs_ahead *ahead)
{
    if (!ahead->job)
        return;
    const struct memfs_allocator *allocator = &ahead->job->allocator;
    for (size_t i = 0; ahead->units && i < ahead->units_count; i++) {
        memfs_free(allocator, ahead->units[i].bytes, MEMFS_UNIT_BYTES);
        memfs_free(allocator, ahead->units[i].pieces, PIECES_BYTES);
        memfs_free(allocator, ahead->units[i].runs, RUNS_BYTES);
        memfs_free(allocator, ahead->units[i].marks, MARKS_BYTES);
    }
    memfs_free(allocator, ahead->units, ahead->units_count * sizeof *ahead->units);
    memfs_free(allocator, ahead->gear, sizeof *ahead->gear);
    memfs_free(allocator, ahead->sizes, ahead->sizes_room * sizeof *ahead->sizes);
    *ahead = (struct memfs_ahead){0};
}
