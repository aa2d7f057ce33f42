#include "paged.h"

#include "cred.h"

#include <string.h>

/* (The attributes may have a capability, which new contents end.) */
int paged_fits(const struct memfs_node_record *node, uint64_t to)
{
    if (to > PAGE_BYTES || node->xattrs)
        return 0;
    return node->mode & MEMFS_NODE_PAGED || (!(node->mode & MEMFS_NODE_CHANGED) && node->extents.count == 0);
}

/* NULL if there is none: all is a hole. */
static struct page *page_of(const struct memfs_node_record *node)
{
    return node->mode & MEMFS_NODE_PAGED ? page_of_slot(node->page) : NULL;
}

int paged_reach_write(struct op *op, uint32_t number, struct paged_write *write)
{
    write->node = number;
    const uint32_t from = (uint32_t)write->from, to = (uint32_t)write->to;
    int r = node_own(op, number, &write->record);
    if (r)
        return r;
    struct page *const old = page_of(write->record);
    const uint32_t used = old ? old->capacity : 0;
    write->now = fs_now(op->fs);
    write->in_place = old && page_is_ours(op->fs, old) && used >= to && page_claim(old);
    write->page = old;
    if (write->in_place)
        return 0;
    page_hints_reach(&op->fs->page_hints, &op->fs->arena);
    r = page_new(op->fs, to > used ? page_room(used, to) : used, &write->page);
    if (r)
        return r;
    page_fill(write->page, old ? old->bytes : NULL, used, from, write->data, to);
    write->page->allocated = (old ? old->allocated : 0) | page_touched(from, to);
    return 0;
}

static void write_in_place(struct page *page, const struct paged_write *write)
{
    const uint32_t from = (uint32_t)write->from, to = (uint32_t)write->to;
    memcpy(page->bytes + from, write->data, to - from);
    page->allocated |= page_touched(from, to);
    page_unclaim(page);
}

static void replace_page(memfs *fs, const struct page *before, const struct paged_write *write)
{
    if (before)
        page_drop(fs, page_slot(before));
    page_hints_note(&fs->page_hints, &fs->arena, write->node, write->page);
}

void paged_write(memfs *fs, struct paged_write *write)
{
    struct memfs_node_record *const node = write->record;
    const uint64_t slot = page_slot(write->page);
    if (write->in_place)
        write_in_place(write->page, write);
    else
        replace_page(fs, page_of(node), write);
    content_to_node(&(struct content_record){.root = slot, .pages = page_weight(slot)}, node);
    if (node->size < write->to)
        node->size = write->to;
    node->mtime = node->ctime = write->now;
    if (write->drops_setid)
        node->mode = cred_drop_setid(NULL, node->mode, node->gid);
}
