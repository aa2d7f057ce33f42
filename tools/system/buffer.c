#include "system/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

int buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->data && more <= buffer->room - buffer->length)
        return 0;
    if (more > SIZE_MAX / 2 - buffer->length)
        return -ENOMEM;
    size_t room = buffer->room > SIZE_MAX / 2 ? SIZE_MAX : buffer->room * 2;
    if (room < buffer->length + more)
        room = buffer->length + more;
    if (room < FIRST_ROOM)
        room = FIRST_ROOM;
    char *data = realloc(buffer->data, room);
    if (!data)
        return -ENOMEM;
    buffer->data = data;
    buffer->room = room;
    return 0;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    int result = buffer_reserve(buffer, length);
    if (result == 0 && length > 0) {
        memcpy(buffer->data + buffer->length, bytes, length);
        buffer->length += length;
    }
    return result;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
    size_t length = strlen(text);
    int result = buffer_append(buffer, text, length + 1);
    if (result == 0)
        buffer->length--;
    return result;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}
