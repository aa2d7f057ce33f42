#include "cursor.h"

#include <string.h>

void memfs_cursor_begin(struct memfs_cursor *cursor, const void *data, size_t length)
{
    *cursor = (struct memfs_cursor){.data = data, .length = length};
}

const uint8_t *memfs_cursor_bytes(struct memfs_cursor *cursor, size_t length)
{
    if (cursor->broken || length > cursor->length - cursor->at) {
        cursor->broken = 1;
        return NULL;
    }
    const uint8_t *bytes = cursor->data + cursor->at;
    cursor->at += length;
    return bytes;
}

static uint64_t take(struct memfs_cursor *cursor, size_t width)
{
    const uint8_t *bytes = memfs_cursor_bytes(cursor, width);
    if (!bytes)
        return 0;
    uint64_t value = 0;
    for (size_t i = width; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t memfs_cursor_u8(struct memfs_cursor *cursor)
{
    return (uint8_t)take(cursor, 1);
}

uint16_t memfs_cursor_u16(struct memfs_cursor *cursor)
{
    return (uint16_t)take(cursor, 2);
}

uint32_t memfs_cursor_u32(struct memfs_cursor *cursor)
{
    return (uint32_t)take(cursor, 4);
}

uint64_t memfs_cursor_u64(struct memfs_cursor *cursor)
{
    return take(cursor, 8);
}

void memfs_cursor_reserved(struct memfs_cursor *cursor, size_t length)
{
    const uint8_t *bytes = memfs_cursor_bytes(cursor, length);
    for (size_t i = 0; bytes && i < length; i++)
        cursor->nonzero |= bytes[i] != 0;
}

size_t memfs_cursor_left(const struct memfs_cursor *cursor)
{
    return cursor->length - cursor->at;
}

int memfs_cursor_complete(const struct memfs_cursor *cursor)
{
    return !cursor->broken && !cursor->nonzero && cursor->at == cursor->length;
}

void memfs_appender_begin(struct memfs_appender *appender, void *data, size_t room)
{
    *appender = (struct memfs_appender){.data = data, .room = room};
}

uint8_t *memfs_append_space(struct memfs_appender *appender, size_t length)
{
    if (appender->full || length > appender->room - appender->length) {
        appender->full = 1;
        return NULL;
    }
    uint8_t *space = appender->data + appender->length;
    appender->length += length;
    return space;
}

static void put(struct memfs_appender *appender, uint64_t value, size_t width)
{
    uint8_t *bytes = memfs_append_space(appender, width);
    for (size_t i = 0; bytes && i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

void memfs_append_u8(struct memfs_appender *appender, uint8_t value)
{
    put(appender, value, 1);
}

void memfs_append_u16(struct memfs_appender *appender, uint16_t value)
{
    put(appender, value, 2);
}

void memfs_append_u32(struct memfs_appender *appender, uint32_t value)
{
    put(appender, value, 4);
}

void memfs_append_u64(struct memfs_appender *appender, uint64_t value)
{
    put(appender, value, 8);
}

void memfs_append_bytes(struct memfs_appender *appender, const void *data, size_t length)
{
    uint8_t *bytes = memfs_append_space(appender, length);
    if (bytes && length)
        memcpy(bytes, data, length);
}

void memfs_append_zeros(struct memfs_appender *appender, size_t length)
{
    uint8_t *bytes = memfs_append_space(appender, length);
    if (bytes && length)
        memset(bytes, 0, length);
}
