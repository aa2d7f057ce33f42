/*
 * The one way from bytes to integers, and back. A cursor never reads beyond
 * its bytes: it then yields zeros and remembers that it is broken, so that a
 * record is taken whole and asked once. All integers are little-endian.
 */
#ifndef MEMFS_CURSOR_H
#define MEMFS_CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct memfs_cursor {
    const uint8_t *data;
    size_t length;
    size_t at;
    int broken;  /* more was asked for than there is */
    int nonzero; /* a reserved byte was not zero */
};

void memfs_cursor_begin(struct memfs_cursor *cursor, const void *data, size_t length);

uint8_t memfs_cursor_u8(struct memfs_cursor *cursor);
uint16_t memfs_cursor_u16(struct memfs_cursor *cursor);
uint32_t memfs_cursor_u32(struct memfs_cursor *cursor);
uint64_t memfs_cursor_u64(struct memfs_cursor *cursor);

/* The next length bytes themselves, or NULL (broken). */
const uint8_t *memfs_cursor_bytes(struct memfs_cursor *cursor, size_t length);

/* Passes over reserved bytes, which must be zero. */
void memfs_cursor_reserved(struct memfs_cursor *cursor, size_t length);

size_t memfs_cursor_left(const struct memfs_cursor *cursor);

/* Neither broken nor with bytes left over nor with reserved bytes set? */
int memfs_cursor_complete(const struct memfs_cursor *cursor);

/* Appends to a buffer of a fixed size; remembers if it did not fit. */
struct memfs_appender {
    uint8_t *data;
    size_t room;
    size_t length;
    int full; /* something did not fit, and was not appended */
};

void memfs_appender_begin(struct memfs_appender *appender, void *data, size_t room);
void memfs_append_u8(struct memfs_appender *appender, uint8_t value);
void memfs_append_u16(struct memfs_appender *appender, uint16_t value);
void memfs_append_u32(struct memfs_appender *appender, uint32_t value);
void memfs_append_u64(struct memfs_appender *appender, uint64_t value);
void memfs_append_bytes(struct memfs_appender *appender, const void *data, size_t length);
void memfs_append_zeros(struct memfs_appender *appender, size_t length);
/* Room for length bytes that the caller fills himself, or NULL (full). */
uint8_t *memfs_append_space(struct memfs_appender *appender, size_t length);

#endif
