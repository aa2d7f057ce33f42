#include "window.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

#define SPAN_SHIFT 21u
_Static_assert((size_t)1 << SPAN_SHIFT == MEMFS_HUGE_PAGE, "a span is a huge page");

size_t memfs_window_slabs(uint64_t reach, uint32_t block_size, size_t pressing)
{
    /* The window's first block may be needed in part, and one fills. */
    const size_t blocks = (size_t)((reach + block_size - 1) / block_size);
    return (blocks > pressing ? blocks : pressing) + 1;
}

/* The last span ends with the last slab. */
static size_t span_bytes(const struct memfs_window *window, size_t span)
{
    const size_t rest = (window->count << window->shift) - (span << window->span_shift);
    const size_t whole = (size_t)1 << window->span_shift;
    return rest < whole ? rest : whole;
}

static size_t count_spans(const struct memfs_window *window)
{
    return (((window->count << window->shift) - 1) >> window->span_shift) + 1;
}

int memfs_window_begin(struct memfs_window *window, const struct memfs_allocator *allocator, uint32_t block_size,
                       uint64_t reach, size_t slabs)
{
    *window = (struct memfs_window){.allocator = allocator, .count = slabs, .reach = reach};
    window->shift = (unsigned)__builtin_ctz(block_size);
    window->span_shift = window->shift < SPAN_SHIFT ? SPAN_SHIFT : window->shift;
    window->spans = memfs_alloc_zeroed(allocator, count_spans(window) * sizeof *window->spans);
    return window->spans ? 0 : -ENOMEM;
}

void memfs_window_end(struct memfs_window *window)
{
    if (!window->spans)
        return;
    for (size_t i = 0; i < count_spans(window); i++)
        memfs_free(window->allocator, window->spans[i], span_bytes(window, i));
    memfs_free(window->allocator, window->spans, count_spans(window) * sizeof *window->spans);
    *window = (struct memfs_window){0};
}

/* Bytes of the stream's block before and behind a position. */
static size_t within(const struct memfs_window *window, uint64_t at)
{
    return (size_t)(at & (memfs_window_block_size(window) - 1));
}

/* The slab for what is at a position of the stream. */
static uint8_t *slab_of(const struct memfs_window *window, uint64_t at)
{
    const size_t bytes = (size_t)((at >> window->shift) % window->count) << window->shift;
    return window->spans[bytes >> window->span_shift] + (bytes & (((size_t)1 << window->span_shift) - 1));
}

const uint8_t *memfs_window_block(const struct memfs_window *window, uint64_t block)
{
    return slab_of(window, block << window->shift);
}

/* What fills only the first span, and that in part, gains nothing by a huge page. */
static uint8_t *make_span(const struct memfs_window *window, size_t span)
{
    const size_t size = span_bytes(window, span);
    return span == 0 ? memfs_alloc(window->allocator, size) : memfs_alloc_span(window->allocator, size);
}

uint8_t *memfs_window_room(struct memfs_window *window, size_t *room)
{
    const size_t slab = (size_t)((window->end >> window->shift) % window->count);
    const size_t span = slab << window->shift >> window->span_shift;
    if (!window->spans[span] && !(window->spans[span] = make_span(window, span)))
        return NULL;
    *room = memfs_window_block_size(window) - within(window, window->end);
    return slab_of(window, window->end) + within(window, window->end);
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
