#include "values/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char suffix_letters[] = "KMGT";

/* The unit that stands there, if one does. */
static uint64_t take_unit(const char **text)
{
    const char *at = *text;
    const char upper = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    const char *letter = upper != '\0' ? strchr(suffix_letters, upper) : NULL;
    if (!letter)
        return 1;
    const uint64_t base = at[1] == 'B' ? 1000 : 1024;
    *text = at + (at[1] == 'B' ? 2 : at[1] == 'i' && at[2] == 'B' ? 3 : 1);
    uint64_t unit = base;
    for (ptrdiff_t i = 0; i < letter - suffix_letters; i++)
        unit *= base;
    return unit;
}

int quantity_parse(const char *text, int suffixes, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    if (at == text)
        return -1;
    const char *end = at + strlen(at);
    const uint64_t unit = suffixes ? take_unit(&at) : 1;
    if (at != end || value > UINT64_MAX / unit)
        return -1;
    *out = value * unit;
    return 0;
}

const char *quantity_exact(uint64_t value, char text[QUANTITY_ROOM])
{
    size_t steps = 0;
    for (; value > 0 && value % 1024 == 0 && steps + 1 < sizeof suffix_letters; steps++)
        value /= 1024;
    snprintf(text, QUANTITY_ROOM, "%" PRIu64 "%.*s", value, steps > 0, &suffix_letters[steps > 0 ? steps - 1 : 0]);
    return text;
}

const char *quantity_bytes(uint64_t bytes, char text[QUANTITY_ROOM])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(text, QUANTITY_ROOM, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return text;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    snprintf(text, QUANTITY_ROOM, "%.1f %s", value, units[unit]);
    return text;
}

const char *quantity_short(uint64_t bytes, char text[QUANTITY_ROOM])
{
    static const char units[] = "KMGTPE";
    unsigned shift = 0;
    while (bytes >> shift >= 1024)
        shift += 10;
    if (shift == 0) {
        snprintf(text, QUANTITY_ROOM, "%" PRIu64, bytes);
        return text;
    }
    /* In tenths: bytes have 64 bits, of which the last unit leaves few. */
    const uint64_t whole = bytes >> shift, rest = bytes & ((UINT64_C(1) << shift) - 1);
    const uint64_t tenths =
        whole * 10 + (uint64_t)(((long double)rest * 10 + (long double)((UINT64_C(1) << shift) - 1)) /
                                (long double)(UINT64_C(1) << shift));
    const char unit = units[shift / 10 - 1];
    if (tenths < 100)
        snprintf(text, QUANTITY_ROOM, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10, unit);
    else if ((tenths + 9) / 10 < 1024)
        snprintf(text, QUANTITY_ROOM, "%" PRIu64 "%c", whole + (rest > 0), unit);
    else
        snprintf(text, QUANTITY_ROOM, "1.0%c", units[shift / 10]);
    return text;
}

const char *quantity_seconds(uint64_t seconds, char text[QUANTITY_ROOM])
{
    uint64_t hours = seconds / 3600;
    unsigned minutes = (unsigned)(seconds / 60 % 60);
    unsigned rest = (unsigned)(seconds % 60);
    if (hours > 0)
        snprintf(text, QUANTITY_ROOM, "%" PRIu64 ":%02u:%02u", hours, minutes, rest);
    else
        snprintf(text, QUANTITY_ROOM, "%u:%02u", minutes, rest);
    return text;
}

const char *quantity_percent(uint64_t part, uint64_t whole, char text[QUANTITY_ROOM])
{
    snprintf(text, QUANTITY_ROOM, "%.1f %%", 100.0 * (double)part / (double)whole);
    return text;
}
