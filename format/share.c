#include "share.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

#define FIRST_ROOM 1024u
/* Files of one digest that are compared, and that are asked for their size: an enemy can
 * make many. */
#define TRIES_MAX 8
#define LOOKS_MAX 64

int memfs_share_begin(struct memfs_share *share, const struct memfs_order *order)
{
    *share = (struct memfs_share){.order = order, .allocator = &order->job->allocator};
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
    memfs_free(share->allocator, share->sizes, share->sizes_room * sizeof *share->sizes);
    for (int i = 0; i < 2; i++)
        memfs_free(share->allocator, share->pieces[i], MEMFS_SHARE_PIECE);
    *share = (struct memfs_share){0};
}

/* ---- Files by digest ------------------------------------------------------- */

static uint64_t digest_of(const struct memfs_share *share, uint32_t number)
{
    return memfs_order_digest(memfs_order_at(share->order, number));
}

/* Where to look for a digest first. Digests that agree in some bits are easily made. */
static size_t first_slot(uint64_t digest, size_t room)
{
    digest = (digest ^ digest >> 32) * 0x9e3779b97f4a7c15u;
    return (size_t)(digest ^ digest >> 32) & (room - 1);
}

static void put_slot(uint32_t *slots, size_t room, uint64_t digest, uint32_t number)
{
    size_t at = first_slot(digest, room);
    while (slots[at])
        at = (at + 1) & (room - 1);
    slots[at] = number;
}

static int grow_slots(struct memfs_share *share)
{
    size_t room = share->slots_room ? share->slots_room * 2 : FIRST_ROOM;
    if (room > SIZE_MAX / sizeof *share->slots)
        return -ENOMEM;
    uint32_t *slots = memfs_alloc_zeroed(share->allocator, room * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < share->slots_room; i++)
        if (share->slots[i])
            put_slot(slots, room, digest_of(share, share->slots[i]), share->slots[i]);
    memfs_free(share->allocator, share->slots, share->slots_room * sizeof *slots);
    share->slots = slots;
    share->slots_room = room;
    return 0;
}

int memfs_share_add(struct memfs_share *share, uint32_t number)
{
    if (share->slots_used >= share->slots_room / 2) {
        int error = grow_slots(share);
        if (error)
            return error;
    }
    put_slot(share->slots, share->slots_room, digest_of(share, number), number);
    share->slots_used++;
    return 0;
}

/* ---- Sizes ------------------------------------------------------------------ */

/* Where a size stands, or would. */
static size_t size_place(const uint64_t *sizes, size_t room, uint64_t size)
{
    size_t at = (size_t)((size * 0x9e3779b97f4a7c15u) >> 32) & (room - 1);
    while (sizes[at] && sizes[at] != size)
        at = (at + 1) & (room - 1);
    return at;
}

int memfs_share_knows_size(const struct memfs_share *share, uint64_t size)
{
    return share->sizes_room && share->sizes[size_place(share->sizes, share->sizes_room, size)] != 0;
}

int memfs_share_add_size(struct memfs_share *share, uint64_t size)
{
    if (share->sizes_used >= share->sizes_room / 2) {
        size_t room = share->sizes_room ? share->sizes_room * 2 : FIRST_ROOM;
        if (room > SIZE_MAX / sizeof *share->sizes)
            return -ENOMEM;
        uint64_t *sizes = memfs_alloc_zeroed(share->allocator, room * sizeof *sizes);
        if (!sizes)
            return -ENOMEM;
        for (size_t i = 0; i < share->sizes_room; i++)
            if (share->sizes[i])
                sizes[size_place(sizes, room, share->sizes[i])] = share->sizes[i];
        memfs_free(share->allocator, share->sizes, share->sizes_room * sizeof *sizes);
        share->sizes = sizes;
        share->sizes_room = room;
    }
    size_t at = size_place(share->sizes, share->sizes_room, size);
    share->sizes_used += share->sizes[at] == 0;
    share->sizes[at] = size;
    return 0;
}

/* ---- Comparing ---------------------------------------------------------------- */

int memfs_share_read(memfs *fs, memfs_node node, uint64_t offset, void *buffer, size_t length)
{
    size_t done = 0;
    while (done < length) {
        int64_t got = memfs_node_read(fs, node, offset + done, (char *)buffer + done, length - done);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return -ESTALE;
        done += (size_t)got;
    }
    return 0;
}

/* How a comparison ends: errors of the later file count, those of the earlier
 * one only say that it cannot stand for the later one. */
enum verdict { EQUAL, DIFFERENT };

static int earlier_failed(int error, enum verdict *verdict)
{
    *verdict = DIFFERENT;
    return error == -ENOMEM ? error : 0;
}

static int compare_with_bytes(struct memfs_share *share, memfs_node earlier, uint64_t size, const uint8_t *content,
                              enum verdict *verdict)
{
    for (uint64_t at = 0; at < size; at += MEMFS_SHARE_PIECE) {
        size_t length = size - at < MEMFS_SHARE_PIECE ? (size_t)(size - at) : MEMFS_SHARE_PIECE;
        int error = memfs_share_read(share->order->job->fs, earlier, at, share->pieces[0], length);
        if (error)
            return earlier_failed(error, verdict);
        if (memcmp(share->pieces[0], content + at, length) != 0) {
            *verdict = DIFFERENT;
            return 0;
        }
    }
    *verdict = EQUAL;
    return 0;
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
        if (error)
            return error;
        error = next_data(share, earlier, at, size, &one);
        if (error)
            return earlier_failed(error, verdict);
        at = one < other ? one : other;
        size_t length = size - at < MEMFS_SHARE_PIECE ? (size_t)(size - at) : MEMFS_SHARE_PIECE;
        error = memfs_share_read(fs, later, at, share->pieces[1], length);
        if (error)
            return error;
        error = memfs_share_read(fs, earlier, at, share->pieces[0], length);
        if (error)
            return earlier_failed(error, verdict);
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
    memfs_node earlier = memfs_order_handle(memfs_order_at(share->order, number));
    struct memfs_stat stat;
    *verdict = DIFFERENT;
    int error = memfs_node_stat(share->order->job->fs, earlier, &stat);
    if (error)
        return earlier_failed(error, verdict);
    if (stat.size != size)
        return 0;
    ++*tries;
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
    size_t at = first_slot(digest, share->slots_room);
    for (; share->slots[at] && tries < TRIES_MAX && looks < LOOKS_MAX; at = (at + 1) & (share->slots_room - 1)) {
        uint32_t number = share->slots[at];
        if (digest_of(share, number) != digest)
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
