#include "escape.h"

#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Characters that iswprint() takes for printable although they show nothing or
 * reorder what stands around them. */
static int deceives(wchar_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) ||
           c == 0xFEFF || c == 0x00AD || c == 0x061C;
}

static void put_byte(FILE *stream, unsigned char byte)
{
    switch (byte) {
    case '\n':
        fputs("\\n", stream);
        break;
    case '\t':
        fputs("\\t", stream);
        break;
    case '\\':
        fputs("\\\\", stream);
        break;
    default:
        fprintf(stream, "\\%03o", byte);
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
    return iswprint((wint_t)c) && !deceives(c) ? used : 0;
}

void escape_put(FILE *stream, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t used = bytes[at] == '\\' ? 0 : printable(bytes + at, length - at);
        if (used > 0) {
            fwrite(bytes + at, 1, used, stream);
            at += used;
        } else {
            put_byte(stream, (unsigned char)bytes[at]);
            at++;
        }
    }
}
