#include "window.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

size_t memfs_window_slabs(uint64_t reach, uint32_t block_size, size_t pressing)
{
    /* The window's first block may be needed in part, and one fills. */
    const size_t blocks = (size_t)((reach + block_size - 1) / block_size);
    return (blocks > pressing ? blocks : pressing) + 1;
}

int memfs_window_begin(struct memfs_window *window, const struct memfs_allocator *allocator, uint32_t block_size,
                       uint64_t reach, size_t slabs)
{
    *window = (struct memfs_window){.allocator = allocator, .count = slabs, .reach = reach};
    window->shift = (unsigned)__builtin_ctz(block_size);
    window->slabs = memfs_alloc_zeroed(allocator, slabs * sizeof *window->slabs);
    return window->slabs ? 0 : -ENOMEM;
}

void memfs_window_end(struct memfs_window *window)
{
    if (!window->slabs)
        return;
    for (size_t i = 0; i < window->count; i++)
        memfs_free(window->allocator, window->slabs[i], memfs_window_block_size(window));
    memfs_free(window->allocator, window->slabs, window->count * sizeof *window->slabs);
    *window = (struct memfs_window){0};
}

/* Bytes of the stream's block before and behind a position. */
static size_t within(const struct memfs_window *window, uint64_t at)
{
    return (size_t)(at & (memfs_window_block_size(window) - 1));
}

static uint8_t *slab_of(const struct memfs_window *window, uint64_t at)
{
    return window->slabs[(at >> window->shift) % window->count];
}

uint8_t *memfs_window_room(struct memfs_window *window, size_t *room)
{
    uint8_t **slab = &window->slabs[(window->end >> window->shift) % window->count];
    if (!*slab)
        *slab = memfs_alloc(window->allocator, memfs_window_block_size(window));
    if (!*slab)
        return NULL;
    *room = memfs_window_block_size(window) - within(window, window->end);
    return *slab + within(window, window->end);
}

/* ---- Comparing ---------------------------------------------------------------- */

static size_t equal_forward(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t same = 0;
    uint64_t one, other;
    for (; same + sizeof one <= length; same += sizeof one) {
        memcpy(&one, a + same, sizeof one);
        memcpy(&other, b + same, sizeof other);
        if (one != other)
            break;
    }
    while (same < length && a[same] == b[same])
        same++;
    return same;
}

/* a and b point behind the bytes. */
static size_t equal_backward(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t same = 0;
    uint64_t one, other;
    for (; same + sizeof one <= length; same += sizeof one) {
        memcpy(&one, a - same - sizeof one, sizeof one);
        memcpy(&other, b - same - sizeof other, sizeof other);
        if (one != other)
            break;
    }
    while (same < length && a[-(ptrdiff_t)same - 1] == b[-(ptrdiff_t)same - 1])
        same++;
    return same;
}

size_t memfs_window_forward(const struct memfs_window *window, uint64_t at, const uint8_t *bytes, size_t length)
{
    size_t same = 0;
    if (length > window->end - at)
        length = (size_t)(window->end - at);
    while (same < length) {
        const size_t start = within(window, at + same), room = memfs_window_block_size(window) - start;
        const size_t part = length - same < room ? length - same : room;
        const size_t equal = equal_forward(slab_of(window, at + same) + start, bytes + same, part);
        same += equal;
        if (equal < part)
            break;
    }
    return same;
}

size_t memfs_window_backward(const struct memfs_window *window, uint64_t at, const uint8_t *bytes, size_t length)
{
    const uint64_t back = at - memfs_window_start(window);
    size_t same = 0;
    if (length > back)
        length = (size_t)back;
    while (same < length) {
        const uint64_t last = at - same - 1; /* the next byte to be compared */
        const size_t before = within(window, last) + 1;
        const size_t part = length - same < before ? length - same : before;
        const size_t equal = equal_backward(slab_of(window, last) + before, bytes - same, part);
        same += equal;
        if (equal < part)
            break;
    }
    return same;
}
