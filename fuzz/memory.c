/*
 * An allocator that counts, and a sink into memory.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#define MEMORY_MOST ((size_t)256 << 20) /* live at the allocator hook */

static void *count_alloc(void *context, size_t size)
{
    struct fuzz_memory *memory = context;
    FUZZ_REQUIRE(size <= MEMORY_MOST && memory->live + size <= MEMORY_MOST, "%zu bytes beside %zu", size, memory->live);
    void *out = malloc(size);
    if (out)
        memory->live += size;
    return out;
}

static void count_free(void *context, void *pointer, size_t size)
{
    struct fuzz_memory *memory = context;
    FUZZ_REQUIRE(size <= memory->live, "%zu of %zu", size, memory->live);
    memory->live -= size;
    free(pointer);
}

void fuzz_memory_begin(struct fuzz_memory *memory)
{
    *memory = (struct fuzz_memory){.hook = {count_alloc, count_free, memory}};
}

void fuzz_memory_end(const struct fuzz_memory *memory)
{
    FUZZ_REQUIRE(memory->live == 0, "%zu bytes leaked", memory->live);
}

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
