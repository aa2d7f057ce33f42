#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* timegm() */
#endif
#include "values/timestamp.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define BILLION 1000000000

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly so many digits. */
static int take_digits(const char **text, int count, int *value)
{
    *value = 0;
    for (; count > 0; count--, ++*text) {
        if (!is_digit(**text))
            return -1;
        *value = *value * 10 + (**text - '0');
    }
    return 0;
}

/* ".25", or nothing: digits beyond nanoseconds are dropped. */
static int take_fraction(const char **text, int64_t *nanoseconds)
{
    int64_t unit = BILLION / 10;
    *nanoseconds = 0;
    if (**text != '.')
        return 0;
    ++*text;
    if (!is_digit(**text))
        return -1;
    for (; is_digit(**text); ++*text, unit /= 10)
        *nanoseconds += (**text - '0') * unit;
    return 0;
}

static int put_together(int64_t seconds, int64_t fraction, int64_t *nanoseconds)
{
    const int64_t most = INT64_MAX / BILLION;
    if (seconds >= most || seconds <= -most)
        return -ERANGE;
    *nanoseconds = seconds * BILLION + fraction;
    return 0;
}

static int parse_seconds(const char *text, int64_t *nanoseconds)
{
    const int negative = *text == '-';
    int64_t seconds = 0, fraction;
    text += negative;
    if (!is_digit(*text))
        return -1;
    int beyond = 0;
    for (; is_digit(*text); text++) {
        beyond |= seconds > BILLION * (int64_t)100;
        seconds = beyond ? seconds : seconds * 10 + (*text - '0');
    }
    if (take_fraction(&text, &fraction) != 0 || *text != '\0')
        return -1;
    if (beyond)
        return -ERANGE;
    return negative ? put_together(-seconds, -fraction, nanoseconds) : put_together(seconds, fraction, nanoseconds);
}

static int take_date(const char **text, struct tm *parts)
{
    if (take_digits(text, 4, &parts->tm_year) != 0 || *(*text)++ != '-' || take_digits(text, 2, &parts->tm_mon) != 0 ||
        *(*text)++ != '-' || take_digits(text, 2, &parts->tm_mday) != 0)
        return -1;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = parts->tm_year, leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (parts->tm_mon < 1 || parts->tm_mon > 12 || parts->tm_mday < 1 ||
        parts->tm_mday > days[parts->tm_mon - 1] + (leap && parts->tm_mon == 2))
        return -1;
    parts->tm_year -= 1900;
    parts->tm_mon--;
    return 0;
}

/* Hours and minutes, and seconds if they are there. */
static int take_time(const char **text, struct tm *parts, int64_t *fraction)
{
    if (take_digits(text, 2, &parts->tm_hour) != 0 || *(*text)++ != ':' || take_digits(text, 2, &parts->tm_min) != 0)
        return -1;
    if (**text == ':') {
        ++*text;
        if (take_digits(text, 2, &parts->tm_sec) != 0 || take_fraction(text, fraction) != 0)
            return -1;
    }
    return parts->tm_hour > 23 || parts->tm_min > 59 || parts->tm_sec > 60 ? -1 : 0;
}

int timestamp_parse(const char *text, int64_t *nanoseconds)
{
    struct tm parts = {.tm_isdst = -1};
    int64_t fraction = 0;
    if (*text == '@')
        return parse_seconds(text + 1, nanoseconds);
    if (take_date(&text, &parts) != 0)
        return -1;
    if (*text == 'T' || *text == ' ') {
        text++;
        if (take_time(&text, &parts, &fraction) != 0)
            return -1;
    }
    const int utc = *text == 'Z';
    if (text[utc] != '\0')
        return -1;
    const time_t seconds = utc ? timegm(&parts) : mktime(&parts);
    return put_together((int64_t)seconds, fraction, nanoseconds);
}
