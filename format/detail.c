#include "detail.h"

#include <stdarg.h>
#include <stdio.h>

int memfs_detail_fill(struct memfs_detail *detail, int error, uint64_t offset, const char *format, ...)
{
    if (!detail)
        return error;
    detail->error = error;
    detail->offset = offset;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail->text, sizeof detail->text, format, arguments);
    va_end(arguments);
    return error;
}
