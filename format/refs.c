#include "refs.h"

#include "columns.h"

unsigned memfs_refs_height(uint64_t chunks)
{
    unsigned height = 0;
    for (; chunks > MEMFS_REFS_TOP; height++)
        chunks = (chunks - 1) / MEMFS_REFS_PER_CHUNK + 1;
    return height;
}

uint64_t memfs_refs_width(uint64_t chunks, unsigned level)
{
    for (; level > 0 && chunks > 0; level--)
        chunks = (chunks - 1) / MEMFS_REFS_PER_CHUNK + 1;
    return chunks;
}

void memfs_ref_bounds(unsigned table, uint64_t count, unsigned level, uint64_t index, uint32_t block_size,
                      uint64_t *least, uint64_t *most)
{
    if (level > 0) {
        const uint64_t below = memfs_refs_width(memfs_chunk_total(table, count), level - 1);
        const uint64_t left = below - index * MEMFS_REFS_PER_CHUNK;
        *least = *most = memfs_refs_raw_bytes(left < MEMFS_REFS_PER_CHUNK ? (size_t)left : MEMFS_REFS_PER_CHUNK);
    } else if (table == MEMFS_DATA) {
        *least = 1;
        *most = block_size;
    } else {
        const size_t records = memfs_chunk_records(table, count, index);
        *least = memfs_chunk_raw_least((enum memfs_table)table, records);
        *most = memfs_chunk_raw_most((enum memfs_table)table, records);
    }
}

const char *memfs_ref_check(const struct memfs_ref *ref, uint64_t raw_least, uint64_t raw_most, uint64_t end)
{
    if (ref->raw < raw_least || ref->raw > raw_most)
        return "its raw length is not what its records need";
    if (ref->codec != MEMFS_CODEC_RAW && ref->codec != MEMFS_CODEC_ZSTD)
        return "its codec is unknown";
    if (ref->codec == MEMFS_CODEC_RAW && ref->stored != ref->raw)
        return "it is stored raw, but its stored and raw lengths differ";
    if (ref->codec == MEMFS_CODEC_ZSTD && (ref->stored == 0 || ref->stored >= ref->raw))
        return "it is compressed, but not shorter than its raw length";
    if (ref->offset < MEMFS_HEADER_BYTES)
        return "it overlaps the header";
    if (ref->offset > end || ref->stored > end - ref->offset)
        return "it does not end before the root";
    return NULL;
}

void memfs_ref_append(struct memfs_appender *out, const struct memfs_ref *ref)
{
    memfs_append_u64(out, ref->offset);
    memfs_append_u32(out, ref->stored);
    memfs_append_u32(out, ref->raw);
    memfs_append_u8(out, ref->codec);
    memfs_append_zeros(out, 7);
    memfs_append_u64(out, ref->hash);
}

void memfs_ref_take(struct memfs_cursor *in, struct memfs_ref *out)
{
    out->offset = memfs_cursor_u64(in);
    out->stored = memfs_cursor_u32(in);
    out->raw = memfs_cursor_u32(in);
    out->codec = memfs_cursor_u8(in);
    memfs_cursor_reserved(in, 7);
    out->hash = memfs_cursor_u64(in);
}
