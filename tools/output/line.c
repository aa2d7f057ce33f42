#include "output/line.h"

#include "memfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void line_mode(struct line *line, uint32_t mode)
{
    static const char types[] = "?pc?d?b?-?l?s???";
    char *text = line->text + line->length;
    text[0] = types[(mode & MEMFS_IFMT) >> 12];
    for (int i = 0; i < 9; i++)
        text[1 + i] = (mode >> (8 - i)) & 1u ? "rwxrwxrwx"[i] : '-';
    if (mode & 04000u)
        text[3] = mode & 0100u ? 's' : 'S';
    if (mode & 02000u)
        text[6] = mode & 0010u ? 's' : 'S';
    if (mode & 01000u)
        text[9] = mode & 0001u ? 't' : 'T';
    line->length += 10;
}

static void put_date(struct line *line, int64_t seconds)
{
    struct tm parts;
    time_t host = (time_t)seconds;
    if (host != seconds || !localtime_r(&host, &parts)) {
        line->length += (size_t)snprintf(line->text + line->length, 24, "%" PRId64, seconds);
        return;
    }
    const int numbers[5] = {parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min};
    for (int i = 0; i < 5; i++) {
        line_number(line, (uint64_t)numbers[i], i == 0 ? 4 : 2, '0');
        line_char(line, "-- : "[i]);
    }
    line->length--;
}

void line_time(struct line *line, int64_t time)
{
    static struct {
        int64_t seconds;
        size_t length; /* 0: none yet */
        char text[24];
    } last;
    const int64_t seconds = time / 1000000000 - (time % 1000000000 < 0);
    if (last.length > 0 && last.seconds == seconds) {
        line_bytes(line, last.text, last.length);
        return;
    }
    const size_t before = line->length;
    put_date(line, seconds);
    last.seconds = seconds;
    last.length = line->length - before;
    memcpy(last.text, line->text + before, last.length);
}

void line_full_time(struct line *line, int64_t time)
{
    const int64_t seconds = time / 1000000000 - (time % 1000000000 < 0);
    char *const end = line->text + sizeof line->text;
    struct tm parts;
    time_t host = (time_t)seconds;
    if (host != seconds || !localtime_r(&host, &parts)) {
        put_date(line, seconds);
        return;
    }
    line->length +=
        strftime(line->text + line->length, (size_t)(end - line->text) - line->length, "%Y-%m-%d %H:%M:%S.", &parts);
    line_number(line, (uint64_t)(time - seconds * 1000000000), 9, '0');
    line->length += strftime(line->text + line->length, (size_t)(end - line->text) - line->length, " %z", &parts);
}
