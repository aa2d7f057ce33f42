#include "verify_window.h"

#include "alloc.h"
#include "frames.h"
#include "pool.h"

#include <errno.h>
#include <string.h>

#define ASKED_MOST 4096u /* files that share parts go back and forth between a few blocks */
/* Bytes of what was asked for: enough for many threads, and no more, since each is new to the process. In all, with
 * what is kept: MEMFS_KEPT_BYTES. */
#define AHEAD_BLOCKS 32u
#define AHEAD_LEAST ((uint64_t)16 << 20)
#define AHEAD_MOST ((uint64_t)64 << 20)
#define SLOTS_MOST ((size_t)(MEMFS_KEPT_BYTES / MEMFS_BLOCK_LEAST))
#define NO_SLOT 0u

/* Slots are numbered from 1; slot 0 stands for blocks that are damaged, and is the
 * end of the list of those kept. */
struct slot {
    struct memfs_job job; /* first */
    struct memfs_verify_window *window;
    struct memfs_ref ref;
    uint8_t *raw;            /* taken when it is decoded: a frame */
    struct memfs_slab *slab; /* NULL: memory of its own, of a block that would leave half a frame unused */
    uint32_t block;
    unsigned pins;         /* askings not dropped yet; and one if it is early */
    int early;             /* begun before it was asked for */
    unsigned older, newer; /* in the list of those kept; next free one */
    int submitted, fresh;  /* to the pool; not taken yet */
    int error;             /* of the job */
    struct memfs_detail detail;
};

struct memfs_verify_window {
    struct memfs_verifying *v;
    uint8_t *damaged;  /* bit by block */
    uint16_t *slot_of; /* by block */
    size_t blocks;
    struct slot *slots;
    size_t slot_count;
    unsigned free_slot;
    struct memfs_frames frames;
    uint64_t pinned, kept;      /* bytes of frames */
    uint32_t early, early_end;  /* blocks that may be early */
    unsigned asked[ASKED_MOST]; /* slots: a ring, from taken up to made */
    uint32_t asked_block[ASKED_MOST];
    uint64_t made, taken;
    unsigned held; /* slot that was taken and not dropped */
};
_Static_assert(SLOTS_MOST < UINT16_MAX, "a slot's number fits");

/* ---- Memory ---------------------------------------------------------------------------- */

/* What is counted: short blocks by the grain, so that there are not more than slots. */
static uint64_t room_of(const struct memfs_verify_window *window, uint32_t raw)
{
    const uint64_t frame = window->frames.frame_bytes, grain = MEMFS_BLOCK_LEAST;
    return raw > frame / 2 ? frame : ((uint64_t)raw + grain - 1) / grain * grain;
}

static uint64_t slot_bytes(const struct slot *slot)
{
    return room_of(slot->window, slot->window->v->block_raw[slot->block]);
}

static int take_room(struct slot *slot)
{
    struct memfs_verify_window *window = slot->window;
    int grown;
    if (slot->ref.raw > window->frames.frame_bytes / 2)
        slot->raw = memfs_frames_take(&window->frames, 1, &slot->slab, &grown);
    else
        slot->raw = memfs_alloc(&window->v->image->allocator, slot->ref.raw);
    return slot->raw ? 0 : -ENOMEM;
}

static void give_room(struct slot *slot)
{
    if (slot->slab)
        memfs_frames_give(&slot->window->frames, slot->slab, slot->raw);
    else if (slot->raw)
        memfs_free(&slot->window->v->image->allocator, slot->raw, slot->ref.raw);
    slot->slab = NULL;
    slot->raw = NULL;
}

/* ---- Decoding, in any thread ------------------------------------------------------------ */

static void decode(struct memfs_job *job, unsigned number)
{
    struct slot *slot = (struct slot *)(void *)job;
    struct memfs_verify_window *window = slot->window;
    struct memfs_image *image = window->v->image;
    struct memfs_worker *worker = NULL;
    (void)number;
    slot->error = take_room(slot);
    if (!slot->error)
        slot->error = memfs_worker_take(&image->workers, &worker);
    if (slot->error)
        return;
    slot->error = memfs_image_decode_block(image, slot->block, &slot->ref, worker, slot->raw, &slot->detail);
    memfs_worker_put(&image->workers, worker);
}

/* ---- Slots --------------------------------------------------------------------------------- */

static void link_newest(struct memfs_verify_window *window, unsigned number)
{
    struct slot *slots = window->slots;
    slots[number].newer = 0;
    slots[number].older = slots[0].older;
    slots[slots[0].older].newer = number;
    slots[0].older = number;
}

static void unlink_kept(struct memfs_verify_window *window, unsigned number)
{
    struct slot *slots = window->slots;
    slots[slots[number].newer].older = slots[number].older;
    slots[slots[number].older].newer = slots[number].newer;
}

/* Its job is done, or was never given to the pool. */
static void free_slot(struct memfs_verify_window *window, unsigned number)
{
    struct slot *slot = &window->slots[number];
    give_room(slot);
    window->slot_of[slot->block] = NO_SLOT;
    slot->newer = window->free_slot;
    window->free_slot = number;
}

/* The oldest of those kept makes room. 0 if there is none. */
static int evict(struct memfs_verify_window *window)
{
    const unsigned oldest = window->slots[0].newer;
    if (oldest == NO_SLOT)
        return 0;
    unlink_kept(window, oldest);
    window->kept -= slot_bytes(&window->slots[oldest]);
    free_slot(window, oldest);
    return 1;
}

static unsigned make_slot(struct memfs_verify_window *window, uint64_t bytes)
{
    while (window->free_slot == NO_SLOT || window->pinned + window->kept + bytes > MEMFS_KEPT_BYTES)
        if (!evict(window))
            break;
    const unsigned number = window->free_slot;
    if (number != NO_SLOT)
        window->free_slot = window->slots[number].newer;
    return number;
}

/* ---- Asking ----------------------------------------------------------------------------------- */

static void push(struct memfs_verify_window *window, uint32_t block, unsigned slot)
{
    window->asked[window->made % ASKED_MOST] = slot;
    window->asked_block[window->made % ASKED_MOST] = block;
    window->made++;
}

static void pin(struct memfs_verify_window *window, unsigned number)
{
    struct slot *slot = &window->slots[number];
    if (slot->pins++ > 0)
        return;
    unlink_kept(window, number);
    window->kept -= slot_bytes(slot);
    window->pinned += slot_bytes(slot);
}

static void unpin(struct memfs_verify_window *window, unsigned number, int keep)
{
    struct slot *slot = &window->slots[number];
    if (--slot->pins > 0)
        return;
    window->pinned -= slot_bytes(slot);
    if (!keep || slot->error) {
        free_slot(window, number);
        return;
    }
    window->kept += slot_bytes(slot);
    link_newest(window, number);
}

/* Lets go of an early block, of which there is none if this returns 0. */
static int let_go(struct memfs_verify_window *window)
{
    for (; window->early < window->early_end; window->early++) {
        const unsigned number = window->slot_of[window->early];
        struct slot *slot = &window->slots[number];
        if (number == NO_SLOT || !slot->early)
            continue;
        slot->early = 0;
        if (slot->submitted)
            memfs_pool_wait(window->v->pool, &slot->job);
        unpin(window, number, 1);
        return 1;
    }
    return 0;
}

static uint64_t ahead_bytes(const struct memfs_verify_window *window)
{
    const uint64_t bytes = (uint64_t)AHEAD_BLOCKS * window->frames.frame_bytes;
    return bytes < AHEAD_LEAST ? AHEAD_LEAST : bytes > AHEAD_MOST ? AHEAD_MOST : bytes;
}

/* Begins to decode a block: its slot, or NO_SLOT if there is no room. */
static unsigned begin(struct memfs_verify_window *window, uint32_t block)
{
    const uint64_t bytes = room_of(window, window->v->block_raw[block]);
    if (window->pinned > 0 && window->pinned + bytes > ahead_bytes(window))
        return NO_SLOT;
    const unsigned number = make_slot(window, bytes);
    if (number == NO_SLOT)
        return NO_SLOT;
    struct slot *slot = &window->slots[number];
    *slot = (struct slot){.job.run = decode, .window = window, .block = block, .pins = 1, .fresh = 1};
    window->slot_of[block] = (uint16_t)number;
    slot->error = memfs_image_find_ref(window->v->image, MEMFS_DATA, block, &slot->ref, &slot->detail);
    slot->submitted = slot->error == 0;
    window->pinned += slot_bytes(slot);
    if (slot->submitted)
        memfs_pool_submit(window->v->pool, &slot->job, 0);
    return number;
}

void memfs_verify_window_begin(struct memfs_verify_window *window)
{
    for (; window->early_end < window->blocks; window->early_end++) {
        const unsigned number = begin(window, window->early_end);
        if (number == NO_SLOT)
            break;
        window->slots[number].early = 1;
    }
}

int memfs_verify_window_ask(struct memfs_verify_window *window, uint32_t block)
{
    unsigned number = window->slot_of[block];
    if (window->made - window->taken + (window->held != NO_SLOT) >= ASKED_MOST)
        return 0;
    if (number != NO_SLOT && window->slots[number].early)
        window->slots[number].early = 0; /* its pin is this asking's */
    else if (number != NO_SLOT)
        pin(window, number);
    else if (!memfs_bit(window->damaged, block)) {
        do
            number = begin(window, block);
        while (number == NO_SLOT && let_go(window));
        if (number == NO_SLOT)
            return 0;
    }
    push(window, block, number);
    return 1;
}

void memfs_verify_window_take(struct memfs_verify_window *window, struct memfs_verify_window_block *out)
{
    *out = (struct memfs_verify_window_block){.number = UINT32_MAX};
    window->held = NO_SLOT;
    if (window->taken == window->made)
        return;
    const uint64_t at = window->taken++ % ASKED_MOST;
    struct slot *slot = &window->slots[window->asked[at]];
    window->held = window->asked[at];
    out->number = window->asked_block[at];
    if (window->held == NO_SLOT)
        return;
    if (slot->submitted)
        memfs_pool_wait(window->v->pool, &slot->job);
    out->error = slot->error;
    out->detail = &slot->detail;
    out->data = slot->error ? NULL : slot->raw;
    out->ref = slot->ref;
    out->fresh = slot->fresh;
    slot->fresh = 0;
}

void memfs_verify_window_drop(struct memfs_verify_window *window, int keep)
{
    const unsigned number = window->held;
    window->held = NO_SLOT;
    if (number != NO_SLOT)
        unpin(window, number, keep);
}

void memfs_verify_window_set_damaged(struct memfs_verify_window *window, uint32_t block)
{
    memfs_bit_set(window->damaged, block);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static int make(struct memfs_verify_window *window)
{
    const struct memfs_allocator *allocator = &window->v->image->allocator;
    window->slot_of = memfs_alloc_array(allocator, window->blocks + 1, sizeof *window->slot_of);
    window->slots = memfs_alloc_zeroed(allocator, window->slot_count * sizeof *window->slots);
    window->damaged = memfs_alloc_zeroed(allocator, memfs_bits_bytes(window->blocks));
    if (!window->slot_of || !window->slots || !window->damaged)
        return -ENOMEM;
    memset(window->slot_of, 0, (window->blocks + 1) * sizeof *window->slot_of);
    for (size_t i = 1; i + 1 < window->slot_count; i++)
        window->slots[i].newer = (unsigned)i + 1;
    window->free_slot = window->slot_count > 1;
    return 0;
}

int memfs_verify_window_create(struct memfs_verifying *v, struct memfs_verify_window **out)
{
    const struct memfs_allocator *allocator = &v->image->allocator;
    struct memfs_verify_window *window = memfs_alloc_zeroed(allocator, sizeof *window);
    if (!window)
        return -ENOMEM;
    int error = memfs_frames_init(&window->frames, allocator);
    if (error) {
        memfs_free(allocator, window, sizeof *window);
        return error;
    }
    memfs_frames_shape(&window->frames, v->image->header.block_size, MEMFS_KEPT_BYTES);
    window->v = v;
    window->blocks = (size_t)v->image->root.table[MEMFS_DATA].count;
    window->slot_count = 1 + (window->blocks < SLOTS_MOST ? window->blocks : SLOTS_MOST);
    error = make(window);
    if (error)
        memfs_verify_window_destroy(window);
    else
        *out = window;
    return error;
}

void memfs_verify_window_destroy(struct memfs_verify_window *window)
{
    if (!window)
        return;
    const struct memfs_allocator allocator = window->v->image->allocator;
    memfs_pool_drain(window->v->pool);
    for (size_t i = 1; window->slots && i < window->slot_count; i++)
        if (window->slots[i].raw)
            give_room(&window->slots[i]);
    memfs_frames_destroy(&window->frames);
    memfs_free(&allocator, window->damaged, memfs_bits_bytes(window->blocks));
    memfs_free(&allocator, window->slot_of, (window->blocks + 1) * sizeof *window->slot_of);
    memfs_free(&allocator, window->slots, window->slot_count * sizeof *window->slots);
    memfs_free(&allocator, window, sizeof *window);
}
