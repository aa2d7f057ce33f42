#include "output/escape.h"

#include "output/width.h"

#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Characters that iswprint() takes for printable although they show nothing or reorder what stands around them: those
 * that Unicode calls default ignorable, and its separators and annotations. But for the first sixteen
 * variation selectors, by which names have pictures in colour. */
static const struct {
    uint32_t first, last;
} deceiving[] = {
    {0x00AD, 0x00AD}, {0x034F, 0x034F},   {0x061C, 0x061C},   {0x115F, 0x1160},   {0x17B4, 0x17B5}, {0x180B, 0x180F},
    {0x200B, 0x200F}, {0x2028, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

int escape_deceives(uint32_t c)
{
    for (size_t i = 0; i < sizeof deceiving / sizeof *deceiving; i++) {
        if (c <= deceiving[i].last)
            return c >= deceiving[i].first;
    }
    return 0;
}

/* What stands for a byte: its length. */
static size_t escaped(unsigned char byte, char text[5])
{
    switch (byte) {
    case '\n':
        memcpy(text, "\\n", 3);
        return 2;
    case '\t':
        memcpy(text, "\\t", 3);
        return 2;
    case '\\':
        memcpy(text, "\\\\", 3);
        return 2;
    default:
        return (size_t)snprintf(text, 5, "\\%03o", byte);
    }
}

/* The bytes of the printable character at the start; 0 if there is none. */
static size_t printable(const char *bytes, size_t length)
{
    mbstate_t state;
    memset(&state, 0, sizeof state);
    wchar_t c;
    size_t used = mbrtowc(&c, bytes, length, &state);
    if (used == 0 || used > length)
        return 0; /* NUL, invalid or cut short */
    return iswprint((wint_t)c) && !escape_deceives((uint32_t)c) ? used : 0;
}

/* Bytes at the start that are shown as they are. */
static size_t plain(const char *bytes, size_t length)
{
    return bytes[0] == '\\' ? 0 : printable(bytes, length);
}

void escape_put(FILE *stream, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t used = plain(bytes + at, length - at);
        if (used > 0) {
            fwrite(bytes + at, 1, used, stream);
            at += used;
        } else {
            char text[5];
            used = escaped((unsigned char)bytes[at], text);
            fwrite(text, 1, used, stream);
            at++;
        }
    }
}

size_t escape_width(const char *bytes, size_t length)
{
    size_t width = 0;
    for (size_t at = 0; at < length;) {
        size_t used = plain(bytes + at, length - at);
        char text[5];
        width += used > 0 ? width_of(bytes + at, used) : escaped((unsigned char)bytes[at], text);
        at += used > 0 ? used : 1;
    }
    return width;
}
