#include "content.h"
#include "extent.h"
#include "map.h"
#include "page.h"

#include <errno.h>

/* Holes are seen through this. */
static const unsigned char zeros[MEMFS_HOLE_BYTES];

/* The owner of a view: a pinned page, marked by an odd address; what a backing
 * has pinned; or nothing. */
struct view {
    memfs_node node;
    uint64_t offset;
    size_t length;
    int writer_is_off;
    const void *data; /* NULL: the base has it, in extent */
    struct page *page;
    struct memfs_extent extent;
};

#define VIEW_CLAIMED 1 /* the writer is about to change the page */

static void set_zeros(struct view *view, uint64_t length)
{
    view->data = zeros;
    if (length < view->length)
        view->length = (size_t)length;
    if (view->length > sizeof zeros)
        view->length = sizeof zeros;
}

static int set_page(struct op *op, struct view *view, struct page *page, uint64_t end)
{
    uint32_t from = (uint32_t)(view->offset & (PAGE_BYTES - 1));
    if (!page || from >= page->capacity) {
        set_zeros(view, end - view->offset);
        return 0;
    }
    if (page_is_ours(op->fs, page)) {
        if (!page_pin(page, view->writer_is_off))
            return VIEW_CLAIMED;
        view->page = page;
    }
    view->data = page->bytes + from;
    if (view->length > page->capacity - from)
        view->length = page->capacity - from;
    return 0;
}

static int set_base(struct op *op, struct view *view, const struct content *content, uint64_t end)
{
    uint64_t limit = content->base_limit < end ? content->base_limit : end;
    struct memfs_extent *extent = &view->extent;
    int r = view->offset < limit ? extent_find(op, content, view->offset, extent) : 0;
    if (r < 0)
        return r;
    if (r == 0 || extent->offset >= limit) {
        set_zeros(view, end - view->offset);
        return 0;
    }
    if (extent->offset > view->offset) {
        set_zeros(view, extent->offset - view->offset);
        return 0;
    }
    uint64_t ends = extent->offset + extent->length < limit ? extent->offset + extent->length : limit;
    if (view->length > ends - view->offset)
        view->length = (size_t)(ends - view->offset);
    return 0;
}

/* Ready to be called again as long as it has not pinned, which is the last that it does. */
static int reach_view(struct op *op, void *argument)
{
    struct view *view = argument;
    const struct memfs_node_record *node;
    struct content content;
    uint64_t slot, end;
    int r = node_get(op, view->node, &node);
    if (r == 0)
        r = content_get(op->fs, node, &content);
    if (r)
        return r;
    if (view->length == 0 || view->offset >= content.size) {
        set_zeros(view, 0);
        return 0;
    }
    if (view->length > content.size - view->offset)
        view->length = (size_t)(content.size - view->offset);
    map_find(op->fs, &content, view->offset >> PAGE_SHIFT, &slot, &end);
    if (slot)
        return set_page(op, view, page_of_slot(slot), end << PAGE_SHIFT);
    return set_base(op, view, &content, end << PAGE_SHIFT);
}

static int reach_view_as_writer(struct op *op, void *argument)
{
    int r = reach_view(op, argument);
    return r ? r : 1; /* nothing to commit */
}

static int view_base(memfs *fs, const struct view *view, struct memfs_view *out)
{
    struct memfs_pin pin = {.object = NULL};
    uint64_t start = view->extent.start + (view->offset - view->extent.offset);
    int r = fs->base->ops->view(fs->base, view->extent.block, start, view->length, &out->data, &out->length, &pin);
    if (r)
        return r;
    if (pin.private[0] > UINTPTR_MAX || pin.private[1] > UINTPTR_MAX) {
        fs->base->ops->unpin(fs->base, &pin);
        return -EOVERFLOW;
    }
    out->owner[0] = pin.object;
    out->owner[1] = (void *)(uintptr_t)pin.private[0];
    out->owner[2] = (void *)(uintptr_t)pin.private[1];
    return 0;
}

int memfs_node_view(memfs *fs, memfs_node node, uint64_t offset, size_t length, struct memfs_view *out)
{
    struct view view = {.node = node, .offset = offset, .length = length};
    struct memfs_view made = {.data = NULL};
    atomic_fetch_add(&fs->views, 1);
    int r = op_read(fs, reach_view, &view);
    if (r == VIEW_CLAIMED) {
        view = (struct view){.node = node, .offset = offset, .length = length, .writer_is_off = 1};
        r = op_write(fs, reach_view_as_writer, NULL, &view);
    }
    if (r == 0 && !view.data)
        r = view_base(fs, &view, &made);
    if (r) {
        atomic_fetch_sub(&fs->views, 1);
        return r;
    }
    if (view.data) {
        made.data = view.data;
        made.length = view.length;
        if (view.page)
            made.owner[0] = (void *)((uintptr_t)view.page | 1);
    }
    *out = made;
    return 0;
}

void memfs_view_release(memfs *fs, struct memfs_view *view)
{
    uintptr_t owner = (uintptr_t)view->owner[0];
    if (!view->data)
        return;
    if (owner & 1) {
        page_unpin(fs, (struct page *)(owner - 1));
    } else if (owner) {
        struct memfs_pin pin = {.object = view->owner[0]};
        pin.private[0] = (uintptr_t)view->owner[1];
        pin.private[1] = (uintptr_t)view->owner[2];
        fs->base->ops->unpin(fs->base, &pin);
    }
    *view = (struct memfs_view){.data = NULL};
    atomic_fetch_sub(&fs->views, 1);
}
