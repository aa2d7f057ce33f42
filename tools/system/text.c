#include "system/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)
#define TEXT_MAX ((size_t)1 << 30)

static int read_all(int fd, struct buffer *text)
{
    for (;;) {
        int result = buffer_reserve(text, PIECE);
        if (result != 0)
            return result;
        ssize_t got = read(fd, text->data + text->length, PIECE - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        text->data[text->length + (size_t)got] = '\0';
        if (got == 0)
            return 0;
        text->length += (size_t)got;
        if (text->length > TEXT_MAX)
            return -EFBIG;
    }
}

int text_read(const char *file, struct buffer *text)
{
    if (strcmp(file, "-") == 0)
        return read_all(STDIN_FILENO, text);
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int result = read_all(fd, text);
    close(fd);
    return result;
}

const char *text_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}
