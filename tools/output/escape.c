#include "output/escape.h"

#include "output/width.h"

#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Characters that iswprint() takes for printable although they show nothing or reorder what stands around them: those
 * of Unicode's category Cf, its separators, Hangul's fillers, tags and variation selectors beyond the first sixteen. */
int escape_deceives(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF) || c == 0xFEFF || c == 0x00AD ||
           c == 0x061C || c == 0x180E || c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0;
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
