/*
 * Bytes that grow.
 */
#ifndef MEMFS_TOOLS_BUFFER_H
#define MEMFS_TOOLS_BUFFER_H

#include <stddef.h>

/* Zeroed: empty. */
struct buffer {
    char *data; /* aligned for any type */
    size_t length, room;
};

/* Room for more bytes, or none, behind length: data is not NULL then. 0 or -ENOMEM, and nothing has changed. */
int buffer_reserve(struct buffer *buffer, size_t more);
int buffer_append(struct buffer *buffer, const void *bytes, size_t length);
/* Appends text, and a NUL that does not count. */
int buffer_append_text(struct buffer *buffer, const char *text);
void buffer_free(struct buffer *buffer);

#endif
