#include "permissions.h"

#include <string.h>

#define ALL 07777u
#define EXECUTE 0111u

static int take_octal(const char *text, uint32_t *out)
{
    uint32_t mode = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '7')
            return -1;
        mode = mode << 3 | (uint32_t)(*text - '0');
        if (mode > ALL)
            return -1;
    }
    *out = mode;
    return 0;
}

/* The bits of those that the letters name; all if there are none. */
static uint32_t take_who(const char **at)
{
    static const uint32_t bits[] = {04700, 02070, 01007, ALL};
    static const char letters[] = "ugoa";
    uint32_t who = 0;
    for (; **at != '\0' && strchr(letters, **at); ++*at)
        who |= bits[strchr(letters, **at) - letters];
    return who != 0 ? who : ALL;
}

/* The same three bits for all. */
static uint32_t spread(uint32_t three)
{
    return three << 6 | three << 3 | three;
}

/* What is to be set, for whomever: letters, or one of u, g, o, whose bits are copied. */
static uint32_t take_what(const char **at, uint32_t mode, int is_directory)
{
    uint32_t what = 0;
    if (**at == 'u' || **at == 'g' || **at == 'o') {
        const unsigned shift = **at == 'u' ? 6 : **at == 'g' ? 3 : 0;
        ++*at;
        return spread(mode >> shift & 7u);
    }
    for (;; ++*at) {
        switch (**at) {
        case 'r':
            what |= 0444;
            break;
        case 'w':
            what |= 0222;
            break;
        case 'x':
            what |= EXECUTE;
            break;
        case 'X':
            what |= is_directory || (mode & EXECUTE) ? EXECUTE : 0;
            break;
        case 's':
            what |= 06000;
            break;
        case 't':
            what |= 01000;
            break;
        default:
            return what;
        }
    }
}

/* "go-w" or "u+x=s", up to a comma or the end. */
static int take_clause(const char **at, uint32_t *mode, int is_directory)
{
    const uint32_t who = take_who(at);
    if (**at == '\0' || !strchr("+-=", **at))
        return -1;
    while (**at != '\0' && strchr("+-=", **at)) {
        const char change = *(*at)++;
        const uint32_t what = take_what(at, *mode, is_directory) & who;
        if (change == '-')
            *mode &= ~what;
        else
            *mode = (change == '=' ? *mode & ~who : *mode) | what;
    }
    return **at == ',' || **at == '\0' ? 0 : -1;
}

int permissions_apply(const char *text, uint32_t mode, int is_directory, uint32_t *out)
{
    if (*text >= '0' && *text <= '9')
        return take_octal(text, out);
    const char *at = text;
    while (take_clause(&at, &mode, is_directory) == 0) {
        if (*at == '\0') {
            *out = mode;
            return 0;
        }
        at++;
    }
    return -1;
}
