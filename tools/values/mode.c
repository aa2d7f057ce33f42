#include "values/mode.h"

#include <string.h>

#define SETUID 04000u
#define SETGID 02000u
#define STICKY 01000u
#define ALL 07777u

static int parse_octal(const char *text, struct mode_change *change)
{
    uint32_t value = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '7' || value > ALL / 8)
            return -1;
        value = value * 8 + (uint32_t)(*at - '0');
    }
    /* As chmod has it: fewer than five digits leave the setuid and setgid of directories. */
    const uint32_t named = strlen(text) > 4 ? ALL : 0;
    change->steps[0] = (struct mode_step){.sign = '=', .affected = ALL, .value = value};
    change->steps[1] = (struct mode_step){.sign = '-', .affected = ALL, .value = named & ~value & (SETUID | SETGID)};
    change->count = 2;
    return 0;
}

/* u, g, o, a, in any number; 0 for none. */
static uint32_t parse_who(const char **text)
{
    uint32_t affected = 0;
    for (;; ++*text) {
        switch (**text) {
        case 'u':
            affected |= SETUID | 0700;
            break;
        case 'g':
            affected |= SETGID | 0070;
            break;
        case 'o':
            affected |= STICKY | 0007;
            break;
        case 'a':
            affected |= ALL;
            break;
        default:
            return affected;
        }
    }
}

/* r, w, x, X, s, t in any number; or one of u, g, o. */
static void parse_what(const char **text, struct mode_step *step)
{
    if (**text == 'u' || **text == 'g' || **text == 'o') {
        step->copy = *(*text)++;
        return;
    }
    for (;; ++*text) {
        switch (**text) {
        case 'r':
            step->value |= 0444;
            break;
        case 'w':
            step->value |= 0222;
            break;
        case 'x':
            step->value |= 0111;
            break;
        case 'X':
            step->search = 1;
            break;
        case 's':
            step->value |= SETUID | SETGID;
            break;
        case 't':
            step->value |= STICKY;
            break;
        default:
            return;
        }
    }
}

static int parse_clause(const char **text, struct mode_change *change)
{
    uint32_t affected = parse_who(text);
    int any = 0;
    while (**text == '+' || **text == '-' || **text == '=') {
        if (change->count == MODE_STEPS)
            return -1;
        struct mode_step *step = &change->steps[change->count++];
        *step = (struct mode_step){.sign = *(*text)++, .affected = affected != 0 ? affected : ALL};
        parse_what(text, step);
        any = 1;
    }
    return any ? 0 : -1;
}

int mode_parse(const char *text, struct mode_change *change)
{
    *change = (struct mode_change){.count = 0};
    if (text[0] >= '0' && text[0] <= '7')
        return parse_octal(text, change);
    for (;;) {
        if (parse_clause(&text, change) != 0)
            return -1;
        if (*text == '\0')
            return 0;
        if (*text++ != ',')
            return -1;
    }
}

static uint32_t copied(char from, uint32_t mode)
{
    const uint32_t bits = mode >> (from == 'u' ? 6 : from == 'g' ? 3 : 0) & 7;
    return bits << 6 | bits << 3 | bits;
}

static uint32_t apply(const struct mode_step *step, uint32_t mode, int is_directory)
{
    uint32_t value = step->value, affected = step->affected;
    if (step->copy != '\0')
        value |= copied(step->copy, mode);
    if (step->search && (is_directory || (mode & 0111) != 0))
        value |= 0111;
    value &= affected;
    if (step->sign == '+')
        return mode | value;
    if (step->sign == '-')
        return mode & ~value;
    if (is_directory)
        affected &= ~(SETUID | SETGID) | value;
    return (mode & ~affected) | value;
}

uint32_t mode_apply(const struct mode_change *change, uint32_t mode, int is_directory)
{
    mode &= ALL;
    for (int i = 0; i < change->count; i++)
        mode = apply(&change->steps[i], mode, is_directory);
    return mode;
}
