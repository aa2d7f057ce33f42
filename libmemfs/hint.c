#include "hint.h"

#include "prefetch.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The thread sanitizer takes a look at four slots at once for a race. */
#ifdef __SANITIZE_THREAD__
#define MEMFS_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MEMFS_TSAN
#endif
#endif

#define COUNT_LEAST UINT32_C(256)      /* a smaller filesystem is in the processor's cache anyway */
#define COUNT_MOST (UINT32_C(1) << 28) /* their bytes fit in 32 bits */
#define SETS_A_TIME 4u                 /* moved with each insertion: long before there are to be more again */

/*
 * A slot: below 1 + the insertion, 0 for none; above bits of the hash. Of 27 bits of the hash
 * the lowest choose the set, the others stand in its slots: with twice as many slots there
 * are twice as many insertions to be named, and one bit less is to be told apart. So nothing
 * but the slots is needed to double their number.
 */
#define HASH_BITS 27u
_Static_assert((COUNT_MOST / HINT_SET) * UINT64_C(8) == UINT64_C(1) << HASH_BITS,
               "3 bits of the hash are left in a slot");

static size_t bytes_of(uint32_t count)
{
    return (size_t)count * sizeof(uint32_t);
}

static uint32_t next_count(const struct hints *hints)
{
    return hints->count ? 2 * hints->count : COUNT_LEAST;
}

void hints_reach(struct hints *hints, struct arena *arena, uint64_t insertions)
{
    void *more = NULL;
    if (hints->more || insertions < (hints->count ? hints->count : COUNT_LEAST) || hints->count == COUNT_MOST)
        return;
    if (arena_alloc_span(arena, bytes_of(next_count(hints)), &more) == 0)
        hints->more = more;
}

/* ---- Slots ---- */

/* The bits of a slot that hold the insertion. */
static inline uint32_t number_mask(uint32_t count)
{
    return 2 * count - 1;
}

/* The bits of the hash that choose the set. */
static inline uint32_t set_mask(uint32_t count)
{
    return count / HINT_SET - 1;
}

/* A set of slots, and of how many slots it is a part. */
struct set {
    _Atomic(uint32_t) *slots;
    uint32_t count;
};

/* That of a hash, if there are any. */
static inline struct set set_of(const struct hints *hints, uint64_t hash)
{
    const uint32_t number = (uint32_t)hash & set_mask(hints->count);
    if (number >= hints->moved)
        return (struct set){.slots = &hints->slots[(size_t)number * HINT_SET], .count = hints->count};
    const uint32_t later = (uint32_t)hash & set_mask(2 * hints->count);
    return (struct set){.slots = &hints->more[(size_t)later * HINT_SET], .count = 2 * hints->count};
}

/* What a slot has of the hash, in its place: above the number, which has 5 bits more than those that choose the set. */
static inline uint32_t tag_of(uint32_t count, uint64_t hash)
{
    return ((uint32_t)hash & ~set_mask(count)) << (32 - HASH_BITS);
}

_Static_assert(32 - HASH_BITS == 5 && HINT_SET == 16, "the tag's shift is the same for all counts");

static uint32_t get(_Atomic(uint32_t) *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

static void put(_Atomic(uint32_t) *slot, uint32_t value)
{
    atomic_store_explicit(slot, value, memory_order_relaxed);
}

/* 1 << i for each slot i of a set that has these values in some bits. All are looked at, and at once: where one is
 * found cannot be foreseen. */
#if defined(__SSE2__) && !defined(MEMFS_TSAN)
/* Eight of them, from here on: all ones in 16 bits. */
static inline __m128i eight_with(_Atomic(uint32_t) *slots, __m128i value, __m128i bits)
{
    const __m128i *four = (const __m128i *)(const void *)slots;
    const __m128i low = _mm_and_si128(_mm_loadu_si128(four), bits);
    const __m128i high = _mm_and_si128(_mm_loadu_si128(four + 1), bits);
    return _mm_packs_epi32(_mm_cmpeq_epi32(low, value), _mm_cmpeq_epi32(high, value));
}

/* Slots are set by others meanwhile, but each as a whole, and hints are not believed. */
static inline unsigned slots_with(_Atomic(uint32_t) *slots, uint32_t value, uint32_t bits)
{
    const __m128i values = _mm_set1_epi32((int)value), masks = _mm_set1_epi32((int)bits);
    const __m128i low = eight_with(slots, values, masks), high = eight_with(slots + 8, values, masks);
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
_Static_assert(HINT_SET == 16, "two by eight");
#else
static unsigned slots_with(_Atomic(uint32_t) *slots, uint32_t value, uint32_t bits)
{
    unsigned equal = 0;
    for (unsigned i = 0; i < HINT_SET; i++)
        equal |= (unsigned)((get(&slots[i]) & bits) == value) << i;
    return equal;
}
#endif

/* No two slots of a set have the same tag, but where two readers have set one at once. (A free slot has the tag 0.) */
int hints_find(const struct hints *hints, uint64_t hash, uint32_t *insertion)
{
    if (hints->count == 0)
        return 0;
    const struct set set = set_of(hints, hash);
    const uint32_t mask = number_mask(set.count);
    const unsigned equal = slots_with(set.slots, tag_of(set.count, hash), ~mask);
    const uint32_t number = equal ? get(&set.slots[__builtin_ctz(equal)]) & mask : 0;
    if (number)
        *insertion = number - 1;
    return number != 0;
}

/* The slot for a tag: that of what the path led to before, else a free one, else any. They are filled from the first
 * on. */
static _Atomic(uint32_t) *slot_for(const struct set *set, uint32_t tag, uint64_t hash)
{
    const uint32_t mask = number_mask(set->count);
    unsigned fit = slots_with(set->slots, tag, ~mask);
    if (!fit)
        fit = slots_with(set->slots, 0, mask);
    return &set->slots[fit ? (unsigned)__builtin_ctz(fit) : hash >> HASH_BITS & (HINT_SET - 1)];
}

/* Most paths lead where they did: then no line is written that other threads read. */
void hints_set(const struct hints *hints, uint64_t hash, uint32_t insertion)
{
    if (hints->count == 0 || insertion >= 2 * hints->count - 1)
        return;
    const struct set set = set_of(hints, hash);
    const uint32_t tag = tag_of(set.count, hash);
    _Atomic(uint32_t) *const slot = slot_for(&set, tag, hash);
    if (get(slot) != (tag | (insertion + 1)))
        put(slot, tag | (insertion + 1));
}

void hints_prefetch(const struct hints *hints, uint64_t hash)
{
    if (hints->count)
        memfs_prefetch((const void *)set_of(hints, hash).slots);
}

/* ---- Growing ---- */

/* One set becomes two, by the lowest bit of the hash that its slots have. */
static void split_set(const struct hints *hints, uint32_t number)
{
    const uint32_t one = number_mask(hints->count) + 1;
    _Atomic(uint32_t) *const halves[2] = {&hints->more[(size_t)number * HINT_SET],
                                          &hints->more[(size_t)number * HINT_SET + hints->count]};
    unsigned filled[2] = {0, 0};
    memset((void *)halves[0], 0, bytes_of(HINT_SET));
    memset((void *)halves[1], 0, bytes_of(HINT_SET));
    for (unsigned i = 0; i < HINT_SET; i++) {
        const uint32_t slot = get(&hints->slots[(size_t)number * HINT_SET + i]);
        const unsigned half = slot & one ? 1 : 0;
        if (slot & (one - 1))
            put(&halves[half][filled[half]++], (slot & (one - 1)) | (slot / (2 * one)) * (2 * one));
    }
}

/* No reader is about. */
void hints_grow(struct hints *hints, struct arena *arena)
{
    const uint32_t count = hints->count, sets = count / HINT_SET;
    if (!hints->more)
        return;
    if (count == 0)
        memset((void *)hints->more, 0, bytes_of(COUNT_LEAST));
    for (unsigned i = 0; i < SETS_A_TIME && hints->moved < sets; i++)
        split_set(hints, hints->moved++);
    if (hints->moved < sets)
        return;
    arena_free_span(arena, (void *)hints->slots, bytes_of(count));
    hints->slots = hints->more;
    hints->count = next_count(hints);
    hints->more = NULL;
    hints->moved = 0;
}

void hints_free(struct hints *hints, struct arena *arena)
{
    if (hints->more)
        arena_free_span(arena, (void *)hints->more, bytes_of(next_count(hints)));
    arena_free_span(arena, (void *)hints->slots, bytes_of(hints->count));
    *hints = (struct hints){.count = 0};
}
