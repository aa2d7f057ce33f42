#include "share.h"

#include "alloc.h"
#include "host_map.h"
#include "random.h"
#include "zeros.h"

#include <errno.h>
#include <string.h>

#define FIRST_ROOM 1024u
/* Files of one digest that are compared, and that are asked for their size: an enemy can
 * make many. */
#define TRIES_MAX 8
#define LOOKS_MAX 64

int memfs_share_begin(struct memfs_share *share, const struct memfs_order *order, const struct memfs_window *window,
                      const struct memfs_rows *extents)
{
    *share = (struct memfs_share){.order = order,
                                  .window = window,
                                  .extents = extents,
                                  .allocator = &order->job->allocator,
                                  .secret = memfs_random()};
    for (int i = 0; i < 2; i++) {
        share->pieces[i] = memfs_alloc(share->allocator, MEMFS_SHARE_PIECE);
        if (!share->pieces[i])
            return -ENOMEM;
    }
    return 0;
}

void memfs_share_end(struct memfs_share *share)
{
    if (!share->allocator)
        return;
    memfs_free(share->allocator, share->slots, share->slots_room * sizeof *share->slots);
    for (int i = 0; i < 2; i++)
        memfs_free(share->allocator, share->pieces[i], MEMFS_SHARE_PIECE);
    *share = (struct memfs_share){0};
}

/* ---- Files by digest ------------------------------------------------------- */

/* A slot has the number of a file, and above it what the digest hashes to: other files are mostly told by that. */
static uint32_t number_in(uint64_t slot)
{
    return (uint32_t)slot;
}

static uint32_t hash_in(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

/* Files are easily made whose digests agree in some bits, or in all. */
static uint32_t hash_of(const struct memfs_share *share, uint64_t digest)
{
    return (uint32_t)memfs_host_hash(share->secret, &digest, sizeof digest);
}

/* Where to look first for what hashes so. */
static size_t first_slot(const struct memfs_share *share, uint32_t hash)
{
    return hash & (share->slots_room - 1);
}

static int has_digest(const struct memfs_share *share, uint64_t slot, uint32_t hash, uint64_t digest)
{
    return hash_in(slot) == hash && memfs_order_digest(memfs_order_at(share->order, number_in(slot))) == digest;
}

/* Of one digest no more than are looked at: none of the others would ever be. */
static void put_slot(struct memfs_share *share, uint32_t number)
{
    const uint64_t digest = memfs_order_digest(memfs_order_at(share->order, number));
    const uint32_t hash = hash_of(share, digest);
    int same = 0;
    size_t at = first_slot(share, hash);
    for (; share->slots[at] && same < LOOKS_MAX; at = (at + 1) & (share->slots_room - 1))
        same += has_digest(share, share->slots[at], hash, digest);
    if (same == LOOKS_MAX)
        return;
    share->slots[at] = (uint64_t)hash << 32 | number;
    share->slots_used++;
}

static void move_slot(struct memfs_share *share, uint64_t slot)
{
    size_t at = first_slot(share, hash_in(slot));
    while (share->slots[at])
        at = (at + 1) & (share->slots_room - 1);
    share->slots[at] = slot;
}

/* From a free slot on all around, so that files of one digest stay in their order, in which they are looked at,
 * wherever the secret has them. */
static int grow_slots(struct memfs_share *share)
{
    uint64_t *old = share->slots;
    const size_t old_room = share->slots_room, room = old_room ? old_room * 2 : FIRST_ROOM;
    if (room > SIZE_MAX / sizeof *old)
        return -ENOMEM;
    uint64_t *slots = memfs_alloc_zeroed(share->allocator, room * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    share->slots = slots;
    share->slots_room = room;
    size_t start = 0;
    while (start < old_room && old[start])
        start++;
    for (size_t i = 0; i < old_room; i++) {
        const uint64_t slot = old[(start + i) & (old_room - 1)];
        if (slot)
            move_slot(share, slot);
    }
    memfs_free(share->allocator, old, old_room * sizeof *old);
    return 0;
}

int memfs_share_add(struct memfs_share *share, uint32_t number)
{
    const int error = share->slots_used >= share->slots_room / 2 ? grow_slots(share) : 0;
    if (!error)
        put_slot(share, number);
    return error;
}

/* ---- Comparing ---------------------------------------------------------------- */

/* How a comparison ends. A file that cannot be read is equal to none: of the later one
 * that shows again where it is read to be stored. */
enum verdict { EQUAL, DIFFERENT };

static int cannot_read(int error, enum verdict *verdict)
{
    *verdict = DIFFERENT;
    return memfs_freezing_is_general(error) ? error : 0;
}

static int compare_with_bytes(struct memfs_share *share, memfs_node earlier, uint64_t size, const uint8_t *content,
                              enum verdict *verdict)
{
    for (uint64_t at = 0; at < size; at += MEMFS_SHARE_PIECE) {
        size_t length = size - at < MEMFS_SHARE_PIECE ? (size_t)(size - at) : MEMFS_SHARE_PIECE;
        int error = memfs_freezing_read(share->order->job->fs, earlier, at, share->pieces[0], length);
        if (error)
            return cannot_read(error, verdict);
        if (memcmp(share->pieces[0], content + at, length) != 0) {
            *verdict = DIFFERENT;
            return 0;
        }
    }
    *verdict = EQUAL;
    return 0;
}

static const struct memfs_extent_row *extent_at(const struct memfs_share *share, const struct memfs_order_node *file,
                                                uint32_t i)
{
    return memfs_rows_at(share->extents, (uint64_t)file->run.first + i);
}

static uint64_t place_of(const struct memfs_share *share, const struct memfs_extent_row *row)
{
    return ((uint64_t)row->block << share->window->shift) + row->start;
}

static int is_in_window(const struct memfs_share *share, const struct memfs_order_node *file)
{
    const uint64_t start = memfs_window_start(share->window);
    for (uint32_t i = 0; i < file->run.count; i++)
        if (place_of(share, extent_at(share, file, i)) < start)
            return 0;
    return 1;
}

/* The earlier file has zeros where it has no extents. */
static enum verdict compare_with_window(const struct memfs_share *share, const struct memfs_order_node *earlier,
                                        uint64_t size, const uint8_t *content)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < earlier->run.count; i++) {
        const struct memfs_extent_row *row = extent_at(share, earlier, i);
        const uint64_t offset = memfs_extent_row_offset(row);
        if (offset > size || row->length > size - offset) /* it was larger when it was read */
            return DIFFERENT;
        if (!memfs_all_zero(content + at, (size_t)(offset - at)) ||
            memfs_window_forward(share->window, place_of(share, row), content + offset, row->length) != row->length)
            return DIFFERENT;
        at = offset + row->length;
    }
    return memfs_all_zero(content + at, (size_t)(size - at)) ? EQUAL : DIFFERENT;
}

/* Where data is next, or size. */
static int next_data(struct memfs_share *share, memfs_node node, uint64_t at, uint64_t size, uint64_t *out)
{
    int64_t found = memfs_node_seek(share->order->job->fs, node, at, MEMFS_SEEK_DATA);
    if (found < 0 && found != -ENXIO)
        return (int)found;
    *out = found < 0 || (uint64_t)found > size ? size : (uint64_t)found;
    return 0;
}

/* Both are read; where both have a hole they are skipped. */
static int compare_files(struct memfs_share *share, memfs_node earlier, memfs_node later, uint64_t size,
                         enum verdict *verdict)
{
    memfs *fs = share->order->job->fs;
    uint64_t at = 0;
    while (at < size) {
        uint64_t one = 0, other = 0;
        int error = next_data(share, later, at, size, &other);
        if (!error)
            error = next_data(share, earlier, at, size, &one);
        if (error)
            return cannot_read(error, verdict);
        at = one < other ? one : other;
        size_t length = size - at < MEMFS_SHARE_PIECE ? (size_t)(size - at) : MEMFS_SHARE_PIECE;
        error = memfs_freezing_read(fs, later, at, share->pieces[1], length);
        if (!error)
            error = memfs_freezing_read(fs, earlier, at, share->pieces[0], length);
        if (error)
            return cannot_read(error, verdict);
        if (memcmp(share->pieces[0], share->pieces[1], length) != 0) {
            *verdict = DIFFERENT;
            return 0;
        }
        at += length;
        error = memfs_freezing_progress(share->order->job, length);
        if (error)
            return error;
    }
    *verdict = EQUAL;
    return 0;
}

/* *tries counts the comparisons. */
static int try_earlier(struct memfs_share *share, uint32_t number, memfs_node node, uint64_t size,
                       const uint8_t *content, int *tries, enum verdict *verdict)
{
    const struct memfs_order_node *file = memfs_order_at(share->order, number);
    memfs_node earlier = memfs_order_handle(file);
    struct memfs_stat stat;
    *verdict = DIFFERENT;
    int error = memfs_node_stat(share->order->job->fs, earlier, &stat);
    if (error)
        return cannot_read(error, verdict);
    if (stat.size != size)
        return 0;
    ++*tries;
    if (content && is_in_window(share, file)) {
        *verdict = compare_with_window(share, file, size, content);
        return 0;
    }
    return content ? compare_with_bytes(share, earlier, size, content, verdict)
                   : compare_files(share, earlier, node, size, verdict);
}

int memfs_share_find(struct memfs_share *share, uint64_t digest, memfs_node node, uint64_t size, const uint8_t *content,
                     uint32_t *out)
{
    *out = 0;
    if (!share->slots_room)
        return 0;
    int tries = 0, looks = 0;
    const uint32_t hash = hash_of(share, digest);
    size_t at = first_slot(share, hash);
    for (; share->slots[at] && tries < TRIES_MAX && looks < LOOKS_MAX; at = (at + 1) & (share->slots_room - 1)) {
        const uint32_t number = number_in(share->slots[at]);
        if (!has_digest(share, share->slots[at], hash, digest))
            continue;
        looks++;
        enum verdict verdict;
        int error = try_earlier(share, number, node, size, content, &tries, &verdict);
        if (error)
            return error;
        if (verdict == EQUAL) {
            *out = number;
            return 0;
        }
    }
    return 0;
}
