#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* wcwidth(), struct winsize */
#endif
#include "output/width.h"

#include "values/quantity.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define DEFAULT_WIDTH 80
#define WIDTH_MAX 10000 /* more is no terminal, and arranging names in columns would take long */

/* Of the character at the start; its bytes come out in *used. */
static size_t one(const char *bytes, size_t length, size_t *used)
{
    mbstate_t state;
    wchar_t c;
    memset(&state, 0, sizeof state);
    *used = mbrtowc(&c, bytes, length, &state);
    if (*used == 0 || *used > length) { /* NUL, invalid or cut short */
        *used = 1;
        return bytes[0] != '\0';
    }
    const int columns = wcwidth(c);
    return columns >= 0 ? (size_t)columns : !iswcntrl((wint_t)c);
}

size_t width_of(const char *bytes, size_t length)
{
    size_t width = 0;
    for (size_t at = 0, used = 1; at < length; at += used) {
        used = 1;
        if (bytes[at] >= ' ' && bytes[at] <= '~')
            width++;
        else
            width += one(bytes + at, length - at, &used);
    }
    return width;
}

size_t width_of_terminal(void)
{
    const char *text = getenv("COLUMNS");
    uint64_t columns = 0;
    struct winsize size;
    if ((!text || quantity_parse(text, 0, &columns) != 0 || columns == 0) &&
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns == 0)
        columns = DEFAULT_WIDTH;
    return columns < WIDTH_MAX ? (size_t)columns : WIDTH_MAX;
}
