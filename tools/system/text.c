#include "system/text.h"

#include "output/message.h"
#include "system/eintr.h"
#include "values/quantity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)

/* The last line has begun at *line; looks at what has come since. */
static int check_line(const struct buffer *text, size_t from, char end, size_t *line)
{
    for (size_t i = text->length; i > from; i--) {
        if (text->data[i - 1] == end) {
            *line = i;
            break;
        }
    }
    return text->length - *line > TEXT_LINE_MAX ? -ENAMETOOLONG : 0;
}

static int read_all(int fd, char end, size_t most, struct buffer *text)
{
    size_t line = 0;
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
        result = check_line(text, text->length - (size_t)got, end, &line);
        if (result == 0 && text->length > most)
            result = -EFBIG;
        if (result != 0)
            return result;
    }
}

int text_read(const char *file, char end, size_t most, struct buffer *text)
{
    if (strcmp(file, "-") == 0)
        return read_all(STDIN_FILENO, end, most, text);
    int fd;
    RETRY(fd, open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (fd < 0)
        return -errno;
    int result = read_all(fd, end, most, text);
    close(fd);
    return result;
}

const char *text_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

int text_error(const char *file, int error, size_t most, const char *what)
{
    char size[QUANTITY_ROOM];
    if (error == -EFBIG)
        message(text_name(file), NULL, "has more than %s: is it a list of %s?", quantity_exact(most, size), what);
    else if (error == -ENAMETOOLONG)
        message(text_name(file), NULL, "has a line of more than %s: is it a list of %s?",
                quantity_exact(TEXT_LINE_MAX, size), what);
    else
        return message_error(text_name(file), NULL, error, NULL);
    return EXIT_FAILED;
}
