#include "plan.h"

#include "cred.h"
#include "map.h"
#include "page.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define STREAM_PAGES 4 /* from this page on, one that is appended gets all its memory at once */
#define FILLS_FIRST 16 /* pages whose bytes are loaded at once; each time as many as there are */

/* How much of a page lies below a limit. */
static uint32_t below(uint64_t limit, uint64_t index)
{
    uint64_t start = index << PAGE_SHIFT;
    if (limit <= start)
        return 0;
    return limit - start < PAGE_BYTES ? (uint32_t)(limit - start) : PAGE_BYTES;
}

/* ---- The list of changes ---- */

static struct plan_change *changes_of(struct content_plan *plan)
{
    return plan->room ? plan->changes : plan->first_changes;
}

static int add_change(struct op *op, struct content_plan *plan, const struct plan_change *change)
{
    const size_t inline_room = sizeof plan->first_changes / sizeof plan->first_changes[0];
    if (plan->room ? plan->count == plan->room : plan->count == inline_room) {
        size_t room = plan->room;
        void *array = room ? plan->changes : NULL;
        int r = memfs_grow_array(&op->fs->allocator, &array, &room, room ? plan->count : 0, plan->count * 2,
                                 sizeof *change);
        if (r)
            return r;
        plan->changes = array;
        if (!plan->room)
            memcpy(plan->changes, plan->first_changes, sizeof plan->first_changes);
        plan->room = room;
    }
    changes_of(plan)[plan->count++] = *change;
    return 0;
}

static void free_changes(memfs *fs, struct content_plan *plan)
{
    if (plan->room)
        memfs_free(&fs->allocator, plan->changes, plan->room * sizeof *plan->changes);
    plan->count = plan->room = 0;
}

void content_cancel(memfs *fs, struct content_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_change *change = &changes_of(plan)[i];
        struct page *page = page_of_slot(change->value);
        if (page && change->in_place)
            page_unclaim(page);
        else if (page)
            page_free(fs, page);
    }
    free_changes(fs, plan);
    xattr_cancel(fs, &plan->xattrs);
}

/* ---- Reach ---- */

int plan_begin(struct op *op, struct content_plan *plan, uint32_t number)
{
    int r = node_own(op, number, &plan->record);
    if (r == 0)
        r = content_get(op->fs, plan->record, &plan->before);
    if (r)
        return r;
    plan->node = number;
    plan->owned = NULL;
    if (plan->record->mode & MEMFS_NODE_PAGED) {
        plan->own = content_of_paged(plan->record);
        plan->owned = &plan->own;
    } else if (plan->record->mode & MEMFS_NODE_CHANGED)
        r = table_own(op, MEMFS_CONTENTS, plan->record->extents.first, &plan->owned);
    plan->size = plan->before.size;
    plan->base_limit = plan->before.base_limit;
    plan->last = UINT64_MAX;
    plan->maps = 0;
    plan->now = fs_now(op->fs);
    return r;
}

/* A page on the way. */
struct at {
    uint64_t index, slot;
    struct page *page;
    uint32_t from, to;         /* the range in it */
    uint16_t base;             /* data of the base that is or will be hidden, or shows through */
    uint16_t allocated, after; /* what is data, now and then */
};

static int zeroes(const struct content_plan *plan)
{
    return plan->kind == PLAN_PUNCH || plan->kind == PLAN_CUT;
}

static uint16_t allocated_after(const struct content_plan *plan, const struct at *at)
{
    switch (plan->kind) {
    case PLAN_WRITE:
    case PLAN_ALLOCATE:
        return at->allocated | page_touched(at->from, at->to);
    case PLAN_PUNCH:
        return at->allocated & (uint16_t)~page_covered(at->from, at->to);
    default:
        return at->allocated & page_touched(0, at->from);
    }
}

static int look(struct op *op, const struct content_plan *plan, struct at *at)
{
    uint64_t start = at->index << PAGE_SHIFT, end;
    map_find(op->fs, &plan->before, at->index, &at->slot, &end);
    if (at->slot == 0 && start < plan->before.base_limit) {
        int r = plan_base_mask(op, &plan->base, &plan->before, at->index, &at->base);
        if (r)
            return r;
    }
    at->page = page_of_slot(at->slot);
    if (at->slot)
        at->base = page_hidden(at->slot);
    at->base &= page_touched(0, below(plan->base_limit, at->index));
    at->from = plan->from > start ? (uint32_t)(plan->from - start) : 0;
    at->to = below(plan->to, at->index);
    at->allocated = at->page ? at->page->allocated : at->slot ? 0 : at->base;
    at->after = allocated_after(plan, at);
    return 0;
}

/* Will nothing be different? */
static int is_idle(const struct op *op, const struct content_plan *plan, const struct at *at)
{
    if (plan->kind == PLAN_ALLOCATE)
        return at->page && page_is_ours(op->fs, at->page) && at->page->capacity >= at->to && at->after == at->allocated;
    if (plan->kind == PLAN_WRITE || (at->slot && page_hidden(at->slot) != at->base))
        return 0;
    /* Beyond the limit an absent page shows zeros anyway. */
    return (at->allocated & page_touched(at->from, at->to)) == 0 ||
           (at->slot == 0 && at->from >= below(plan->base_limit, at->index));
}

/* A slot gets a new value. */
static int change_slot(struct op *op, struct content_plan *plan, const struct plan_change *change)
{
    int r = map_reach_set(op, &plan->before, change->index, plan->last, &plan->maps);
    if (r)
        return r;
    plan->last = change->index;
    return add_change(op, plan, change);
}

static uint32_t capacity_for(const struct content_plan *plan, const struct at *at, uint32_t used)
{
    if (zeroes(plan) || at->to <= used)
        return used;
    if (at->page)
        return page_room(used, at->to);
    int appends = plan->kind == PLAN_WRITE && plan->from == plan->before.size;
    int stream = appends && at->index >= STREAM_PAGES && at->from == 0;
    return stream ? PAGE_BYTES : at->to;
}

/* Fills a new page: the old bytes, of which there are `used`, changed in the range. */
static void compose(const struct content_plan *plan, const struct at *at, struct page *page, const void *old,
                    uint32_t used)
{
    uint32_t from = at->from, to = at->to;
    const unsigned char *data = NULL;
    if (plan->kind == PLAN_ALLOCATE)
        from = to = used;
    if (zeroes(plan)) {
        from = from < used ? from : used;
        to = to < used ? to : used;
    }
    if (plan->kind == PLAN_WRITE)
        data = plan->data + ((at->index << PAGE_SHIFT) + from - plan->from);
    page_fill(page, old, used, from, data, to);
}

/* Is the page absent, and does something of what the base shows there stay? */
static int needs_base(const struct content_plan *plan, const struct at *at)
{
    uint32_t to = at->to >= below(plan->base_limit, at->index) ? PAGE_BYTES : at->to;
    uint16_t covered = plan->kind == PLAN_ALLOCATE ? 0 : page_covered(at->from, to);
    return at->slot == 0 && (at->base & (uint16_t)~covered) != 0;
}

/* What is in the page that is replaced: *old with *used bytes, or PLAN_FILL. */
static int old_bytes(const struct content_plan *plan, const struct at *at, const void **old, uint32_t *used)
{
    *used = 0;
    if (at->page) {
        *old = at->page->bytes;
        *used = at->page->capacity;
    } else if (needs_base(plan, at)) {
        *old = plan_base_bytes(&plan->base, at->index);
        *used = below(plan->base_limit, at->index);
        return *old ? 0 : PLAN_FILL;
    }
    return 0;
}

static int replace_page(struct op *op, struct content_plan *plan, const struct at *at)
{
    const void *old = NULL;
    uint32_t used;
    struct page *page;
    int r = old_bytes(plan, at, &old, &used);
    if (r == 0)
        r = page_new(op->fs, capacity_for(plan, at, used), &page);
    if (r)
        return r;
    compose(plan, at, page, old, used);
    page->allocated = at->after;
    page->base = at->base;
    r = change_slot(op, plan, &(struct plan_change){.index = at->index, .value = page_slot(page)});
    if (r)
        page_free(op->fs, page);
    return r;
}

static int keep_page(struct op *op, struct content_plan *plan, const struct at *at)
{
    const struct plan_change change = {
        .index = at->index, .value = at->slot, .allocated = at->after, .base = at->base, .in_place = 1};
    int r = add_change(op, plan, &change);
    if (r)
        page_unclaim(at->page);
    return r;
}

int plan_page(struct op *op, struct content_plan *plan, uint64_t index)
{
    struct at at = {.index = index};
    int r = look(op, plan, &at);
    if (r || is_idle(op, plan, &at))
        return r;
    if (zeroes(plan) && at.after == 0)
        return change_slot(op, plan, &(struct plan_change){.index = index, .value = page_hole(at.base)});
    if (at.page && page_is_ours(op->fs, at.page) && (zeroes(plan) || at.page->capacity >= at.to) && page_claim(at.page))
        return keep_page(op, plan, &at);
    return replace_page(op, plan, &at);
}

static uint64_t last_page(const struct content_plan *plan)
{
    return (plan->to - 1) >> PAGE_SHIFT;
}

/* The page behind those of the range where the base will be visible. */
static uint64_t visible_end(const struct content_plan *plan)
{
    uint64_t end = last_page(plan) + 1, visible = (plan->base_limit + PAGE_BYTES - 1) >> PAGE_SHIFT;
    return end < visible ? end : visible;
}

/* Looks at the base in all of the range where it will be visible, so that making pages does not miss it. */
static int scout(struct op *op, struct content_plan *plan)
{
    uint64_t first = plan->from >> PAGE_SHIFT, end = visible_end(plan);
    return first < end ? plan_base_scout(op, &plan->base, &plan->before, first, end) : 0;
}

/* Passes over pages that are absent and without data: *index may go beyond the range. */
static void skip_holes(const memfs *fs, const struct content_plan *plan, uint64_t *index)
{
    while (*index <= last_page(plan)) {
        uint64_t slot, end;
        map_find(fs, &plan->before, *index, &slot, &end);
        if (slot)
            return;
        uint64_t next = plan_base_next(&plan->base, *index);
        if (next < end) {
            *index = next;
            return;
        }
        *index = end;
    }
}

/* The next page with data of the base is looked at, from *index on; *index goes beyond the end if there is none. */
static int want_next(struct op *op, struct content_plan *plan, uint64_t *index)
{
    int r = plan_base_seek(op, &plan->base, &plan->before, index);
    struct at at = {.index = *index};
    if (r || at.index >= visible_end(plan))
        return r;
    r = look(op, plan, &at);
    if (r == 0 && needs_base(plan, &at) && !is_idle(op, plan, &at) && !plan_base_bytes(&plan->base, at.index))
        r = plan_base_want(op, &plan->base, at.index);
    return r;
}

/* Has the bytes of this page loaded, and those of as many behind it as have been loaded before. */
static int want_bytes(struct op *op, struct content_plan *plan, uint64_t index)
{
    size_t count = plan->base.fill_count, most = count * 2 > FILLS_FIRST ? count * 2 : FILLS_FIRST;
    for (; index < visible_end(plan) && plan->base.fill_count < most; index++) {
        int r = want_next(op, plan, &index);
        if (r == OP_MISS && plan->base.fill_count > count)
            break;
        if (r)
            return r;
    }
    return PLAN_FILL;
}

int plan_pages(struct op *op, struct content_plan *plan)
{
    int skips = zeroes(plan);
    int r = plan->scouts || skips ? scout(op, plan) : 0;
    for (uint64_t index = plan->from >> PAGE_SHIFT; r == 0 && index <= last_page(plan); index++) {
        if (skips)
            skip_holes(op->fs, plan, &index);
        if (index <= last_page(plan))
            r = plan_page(op, plan, index);
        if (r == PLAN_FILL)
            r = want_bytes(op, plan, index);
    }
    plan->scouts |= r == OP_MISS;
    return r;
}

int plan_end_capability(struct op *op, struct content_plan *plan)
{
    const struct xattr_edit end = {.name = XATTR_CAPABILITY};
    const char *value;
    size_t size;
    if (!plan->record->xattrs)
        return 0;
    int r = xattr_find(op, plan->record, XATTR_CAPABILITY, &value, &size);
    if (r)
        return r == -ENODATA ? 0 : r;
    return xattr_reach_edit(op, plan->record, &end, 1, &plan->xattrs);
}

static int is_empty(const struct content_plan *plan)
{
    return plan->count == 0 && plan->size == plan->before.size && plan->base_limit == plan->before.base_limit;
}

/* Will the contents, which have none, need a record? */
static int needs_record(const struct content_plan *plan)
{
    if (plan->owned ? plan->owned != &plan->own : is_empty(plan))
        return 0;
    return plan->maps || plan->before.base_count;
}

int plan_reserve(struct op *op, struct content_plan *plan)
{
    int r = plan->maps ? table_reserve(op, MEMFS_MAPS, plan->maps) : 0;
    if (r == 0 && needs_record(plan))
        r = table_reserve(op, MEMFS_CONTENTS, 1);
    return r;
}

/* ---- Commit ---- */

/* What is changed, or NULL if nothing is. */
static struct content_record *begin_content(struct content_plan *plan)
{
    const struct memfs_node_record *node = plan->record;
    if (plan->owned || is_empty(plan))
        return plan->owned;
    plan->own = (struct content_record){.base_first = node->extents.first, .base_count = node->extents.count};
    plan->owned = &plan->own;
    return plan->owned;
}

/* What has been changed goes where it is kept: into the node if that can hold it. */
static void keep_content(memfs *fs, struct content_plan *plan)
{
    struct memfs_node_record *node = plan->record;
    if (plan->owned != &plan->own)
        return;
    if (content_fits_node(&plan->own)) {
        content_to_node(&plan->own, node);
        return;
    }
    struct content_record *record;
    const uint32_t number = table_take(fs, MEMFS_CONTENTS, &record);
    *record = plan->own;
    plan->owned = record;
    node->extents.first = number;
    node->extents.count = 0;
    node->mode &= (1u << MEMFS_NODE_PAGES_SHIFT) - 1;
    node->mode = (node->mode & ~MEMFS_NODE_PAGED) | MEMFS_NODE_CHANGED;
}

static void change_bytes(const struct content_plan *plan, const struct plan_change *change, struct page *page)
{
    assert(page->bytes);
    uint64_t start = change->index << PAGE_SHIFT;
    uint32_t from = plan->from > start ? (uint32_t)(plan->from - start) : 0, to = below(plan->to, change->index);
    if (plan->kind == PLAN_WRITE)
        memcpy(page->bytes + from, plan->data + (start + from - plan->from), to - from);
    to = to < page->capacity ? to : page->capacity;
    if (zeroes(plan) && from < to)
        memset(page->bytes + from, 0, to - from);
}

static void commit_change(memfs *fs, const struct content_plan *plan, const struct plan_change *change)
{
    struct content_record *content = plan->owned;
    if (!change->in_place) {
        uint64_t before = map_set(fs, content, change->index, change->value);
        content->pages += page_weight(change->value) - page_weight(before);
        page_drop(fs, before);
        return;
    }
    struct page *page = page_of_slot(change->value);
    content->pages -= page_weight(change->value);
    change_bytes(plan, change, page);
    page->allocated = change->allocated;
    page->base = change->base;
    content->pages += page_weight(change->value);
    page_unclaim(page);
}

void plan_commit(memfs *fs, struct content_plan *plan)
{
    struct content_record *content = begin_content(plan);
    for (size_t i = 0; i < plan->count; i++)
        commit_change(fs, plan, &changes_of(plan)[i]);
    if (content && plan->kind == PLAN_CUT)
        content->pages -= map_cut(fs, content, (plan->size + PAGE_BYTES - 1) >> PAGE_SHIFT);
    if (content) {
        content->base_limit = plan->base_limit;
        keep_content(fs, plan);
    }
    plan->record->size = plan->size;
    plan->record->ctime = plan->now;
    if (plan->drops_setid)
        plan->record->mode = cred_drop_setid(NULL, plan->record->mode, plan->record->gid);
    if (!plan->keeps_mtime)
        plan->record->mtime = plan->now;
    xattr_replace(fs, plan->record, &plan->xattrs);
    free_changes(fs, plan);
}

/* ---- Outside of operations ---- */

void plan_commit_op(struct op *op, void *plan)
{
    plan_commit(op->fs, plan);
}

int plan_run(memfs *fs, op_body *reach, op_commit *commit, struct content_plan *plan)
{
    int r;
    do
        r = op_write(fs, reach, commit, plan);
    while (r == PLAN_FILL && (r = plan_base_load(fs, &plan->base, &plan->before)) == 0);
    plan_base_free(fs, &plan->base);
    return r;
}
