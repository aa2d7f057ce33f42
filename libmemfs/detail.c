#include "detail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void memfs_detail_put(struct memfs_detail *detail, uint64_t offset, const char *format, ...)
{
    if (!detail)
        return;
    detail->offset = offset;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail->text, sizeof detail->text, format, arguments);
    va_end(arguments);
}

void memfs_detail_append(struct memfs_detail *detail, const char *note)
{
    if (!detail || !detail->text[0])
        return;
    const size_t bytes = strlen(note) + 1, most = sizeof detail->text - bytes, length = strlen(detail->text);
    memcpy(detail->text + (length < most ? length : most), note, bytes);
}
