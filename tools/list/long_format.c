#include "list/long_format.h"

#include "output/line.h"
#include "output/output.h"
#include "values/owners.h"
#include "values/quantity.h"

#include <errno.h>
#include <string.h>

static void widen(int *width, int needed)
{
    if (needed > *width)
        *width = needed;
}

static int is_device(const struct memfs_stat *stat)
{
    const uint32_t type = stat->mode & MEMFS_IFMT;
    return type == MEMFS_IFCHR || type == MEMFS_IFBLK;
}

/* ---- Widths ------------------------------------------------------------------- */

static int name_width(const struct owner_name *name)
{
    return name->length > 0 ? name->width : line_digits(name->id);
}

static int size_width(const struct long_format *format, uint64_t size)
{
    char text[QUANTITY_ROOM];
    return format->human ? (int)strlen(quantity_short(size, text)) : line_digits(size);
}

static void measure(struct long_format *format, const struct memfs_stat *stat)
{
    if (format->inode)
        widen(&format->inode_width, line_digits(directory_inode(stat)));
    widen(&format->nlink_width, line_digits(stat->nlink));
    widen(&format->uid_width, format->numeric ? line_digits(stat->uid) : name_width(owners_user(stat->uid)));
    widen(&format->gid_width, format->numeric ? line_digits(stat->gid) : name_width(owners_group(stat->gid)));
    if (is_device(stat)) {
        widen(&format->major_width, line_digits(stat->rdev_major));
        widen(&format->minor_width, line_digits(stat->rdev_minor));
        widen(&format->size_width, format->major_width + 2 + format->minor_width);
    } else {
        widen(&format->size_width, size_width(format, stat->size));
    }
}

static int has(const struct long_format *format, const struct memfs_stat *stat, const char *attribute)
{
    const int64_t length = memfs_node_getxattr(format->input->fs, NULL, stat->node, attribute, NULL, 0);
    if (length == -ENODATA)
        return 0;
    return length < 0 ? (int)length : 1;
}

/* 1 or 0, or why it is not known. */
static int has_acl(const struct long_format *format, const struct memfs_stat *stat)
{
    const uint32_t type = stat->mode & MEMFS_IFMT;
    if (type == MEMFS_IFLNK)
        return 0;
    const int result = has(format, stat, "system.posix_acl_access");
    return result == 0 && type == MEMFS_IFDIR ? has(format, stat, "system.posix_acl_default") : result;
}

static int mark(struct long_format *format, const struct directory *directory)
{
    format->marks.length = 0;
    format->marked = 0;
    int result = buffer_reserve(&format->marks, directory->count * sizeof(int));
    for (size_t i = 0; i < directory->count && result == 0; i++) {
        const int acl = has_acl(format, &directory->rows[i].stat);
        result = acl == -ENOMEM ? acl : buffer_append(&format->marks, &acl, sizeof acl);
        format->marked |= acl != 0;
    }
    return result;
}

static int mark_of(const struct long_format *format, size_t index)
{
    return format->marked ? ((const int *)(const void *)format->marks.data)[index] : 0;
}

int long_format_error(const struct long_format *format, size_t index)
{
    const int acl = mark_of(format, index);
    return acl < 0 ? acl : 0;
}

int long_format_measure(struct long_format *format, const struct directory *directory)
{
    format->inode_width = format->nlink_width = format->uid_width = format->gid_width = 0;
    format->size_width = format->major_width = format->minor_width = 0;
    for (size_t i = 0; i < directory->count; i++)
        measure(format, &directory->rows[i].stat);
    return format->xattrs ? mark(format, directory) : 0;
}

/* ---- Writing ------------------------------------------------------------------ */

/* Names to the left, numbers to the right. */
static void put_owner(struct line *line, const struct owner_name *name, int width)
{
    if (name->length == 0) {
        line_number(line, name->id, width, ' ');
        return;
    }
    line_bytes(line, name->text, (size_t)name->length);
    line_spaces(line, width - name->width);
}

static void put_owners(const struct long_format *format, struct line *line, const struct memfs_stat *stat)
{
    if (!format->no_owner) {
        if (format->numeric)
            line_number(line, stat->uid, format->uid_width, ' ');
        else
            put_owner(line, owners_user(stat->uid), format->uid_width);
        line_char(line, ' ');
    }
    if (!format->no_group) {
        if (format->numeric)
            line_number(line, stat->gid, format->gid_width, ' ');
        else
            put_owner(line, owners_group(stat->gid), format->gid_width);
        line_char(line, ' ');
    }
}

/* "MAJOR, MINOR" for a device. */
static void put_size(const struct long_format *format, struct line *line, const struct memfs_stat *stat)
{
    if (is_device(stat)) {
        line_spaces(line, format->size_width - (format->major_width + 2 + format->minor_width));
        line_number(line, stat->rdev_major, format->major_width, ' ');
        line_bytes(line, ", ", 2);
        line_number(line, stat->rdev_minor, format->minor_width, ' ');
    } else if (format->human) {
        char text[QUANTITY_ROOM];
        const size_t length = strlen(quantity_short(stat->size, text));
        line_spaces(line, format->size_width - (int)length);
        line_bytes(line, text, length);
    } else {
        line_number(line, stat->size, format->size_width, ' ');
    }
}

size_t long_format_put(const struct long_format *format, const struct directory *directory, size_t index)
{
    const struct memfs_stat *stat = &directory->rows[index].stat;
    struct line line;
    line.length = 0;
    if (format->inode) {
        line_number(&line, directory_inode(stat), format->inode_width, ' ');
        line_char(&line, ' ');
    }
    line_mode(&line, stat->mode);
    if (format->marked)
        line_char(&line, " +?"[mark_of(format, index) < 0 ? 2 : mark_of(format, index)]);
    line_char(&line, ' ');
    line_number(&line, stat->nlink, format->nlink_width, ' ');
    line_char(&line, ' ');
    put_owners(format, &line, stat);
    put_size(format, &line, stat);
    line_char(&line, ' ');
    if (format->full_time)
        line_full_time(&line, stat->mtime);
    else
        line_time(&line, stat->mtime);
    line_char(&line, ' ');
    output_text(line.text, line.length);
    return line.length;
}

void long_format_free(struct long_format *format)
{
    buffer_free(&format->marks);
}
