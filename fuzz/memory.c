/*
 * An allocator that counts, and a sink into memory.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

#define MEMORY_MOST ((size_t)256 << 20) /* live at the allocator hook */

/* ---- Large blocks ---------------------------------------------------------------- */

#define LARGE ((size_t)128 << 10)
#define KEPT_BLOCKS 24u
#define KEPT_MOST ((size_t)4 << 20) /* bytes of one */

/* Every input needs the same few: mapping them anew would take most of the time, above all
 * under ASan. While they are kept nobody may touch them. */
static struct {
    void *memory;
    size_t size;
} kept[KEPT_BLOCKS];

static void *take_large(size_t size)
{
    for (unsigned i = 0; i < KEPT_BLOCKS; i++) {
        if (kept[i].size != size)
            continue;
        void *memory = kept[i].memory;
        kept[i].memory = NULL;
        kept[i].size = 0;
        ASAN_UNPOISON_MEMORY_REGION(memory, size);
        return memory;
    }
    return malloc(size);
}

static void give_large(void *memory, size_t size)
{
    for (unsigned i = 0; i < KEPT_BLOCKS && size <= KEPT_MOST; i++) {
        if (kept[i].size)
            continue;
        ASAN_POISON_MEMORY_REGION(memory, size);
        kept[i].memory = memory;
        kept[i].size = size;
        return;
    }
    free(memory);
}

/* ---- The allocator ----------------------------------------------------------------- */

static void *count_alloc(void *context, size_t size)
{
    struct fuzz_memory *memory = context;
    FUZZ_REQUIRE(size <= MEMORY_MOST && memory->live + size <= MEMORY_MOST, "%zu bytes beside %zu", size, memory->live);
    void *out = size < LARGE ? malloc(size) : take_large(size);
    if (out)
        memory->live += size;
    return out;
}

static void count_free(void *context, void *pointer, size_t size)
{
    struct fuzz_memory *memory = context;
    FUZZ_REQUIRE(size <= memory->live, "%zu of %zu", size, memory->live);
    memory->live -= size;
    if (size < LARGE)
        free(pointer);
    else
        give_large(pointer, size);
}

void fuzz_memory_begin(struct fuzz_memory *memory)
{
    *memory = (struct fuzz_memory){.hook = {count_alloc, count_free, memory}};
}

void fuzz_memory_end(const struct fuzz_memory *memory)
{
    FUZZ_REQUIRE(memory->live == 0, "%zu bytes leaked", memory->live);
}

/* ---- The sink ---------------------------------------------------------------------- */

static int take(void *context, const void *data, size_t length)
{
    struct fuzz_buffer *buffer = context;
    if (length > buffer->room - buffer->size) {
        const size_t room = 2 * (buffer->size + length);
        uint8_t *larger = realloc(buffer->data, room);
        if (!larger)
            return -ENOMEM;
        buffer->data = larger;
        buffer->room = room;
    }
    memcpy(buffer->data + buffer->size, data, length);
    buffer->size += length;
    return 0;
}

struct memfs_sink fuzz_buffer_sink(struct fuzz_buffer *buffer)
{
    return (struct memfs_sink){.write = take, .context = buffer};
}
