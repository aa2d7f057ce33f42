#include "list/directory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64

int directory_add(struct directory *directory, const char *name, size_t name_length, const struct memfs_stat *stat)
{
    struct directory_row row = {.name_length = name_length, .stat = *stat};
    int result = buffer_append(&directory->names, name, name_length);
    if (result == 0)
        result = buffer_append(&directory->names, "", 1);
    if (result == 0)
        result = buffer_append(&directory->memory, &row, sizeof row);
    if (result == 0)
        directory->count++;
    return result;
}

static int compare(const void *a, const void *b)
{
    const struct directory_row *left = a, *right = b;
    return strcmp(left->name, right->name); /* unsigned bytes, as the format orders them */
}

void directory_sort(struct directory *directory)
{
    directory->rows = (struct directory_row *)(void *)directory->memory.data;
    int sorted = 1;
    const char *name = directory->names.data;
    for (size_t i = 0; i < directory->count; i++) {
        struct directory_row *row = &directory->rows[i];
        row->name = name;
        name += row->name_length + 1;
        if (i > 0 && compare(row - 1, row) > 0)
            sorted = 0;
    }
    if (!sorted) /* an image's directories come sorted */
        qsort(directory->rows, directory->count, sizeof *directory->rows, compare);
}

int directory_read(struct directory *directory, memfs *fs, memfs_node dir, int with_stat)
{
    directory->count = directory->memory.length = directory->names.length = directory->batch.length = 0;
    int result = buffer_reserve(&directory->batch, BATCH * sizeof(struct memfs_dirent));
    if (result != 0)
        return result;
    struct memfs_dirent *entries = (struct memfs_dirent *)(void *)directory->batch.data;
    uint64_t cursor = 0;
    int64_t got;
    while ((got = memfs_node_readdir(fs, NULL, dir, cursor, entries, BATCH, with_stat)) > 0 && result == 0) {
        cursor = entries[got - 1].cursor;
        for (int64_t i = 0; i < got && result == 0; i++)
            result = directory_add(directory, entries[i].name, entries[i].name_length, &entries[i].stat);
    }
    if (got < 0)
        result = (int)got;
    if (result == 0)
        directory_sort(directory);
    return result;
}

void directory_drop_hidden(struct directory *directory)
{
    size_t kept = 0;
    for (size_t i = 0; i < directory->count; i++) {
        if (directory->rows[i].name[0] == '.')
            continue;
        if (kept != i)
            directory->rows[kept] = directory->rows[i];
        kept++;
    }
    directory->count = kept;
}

static int compare_times(const void *a, const void *b)
{
    const struct directory_row *left = a, *right = b;
    if (left->stat.mtime != right->stat.mtime)
        return left->stat.mtime > right->stat.mtime ? -1 : 1;
    return compare(a, b);
}

static int compare_sizes(const void *a, const void *b)
{
    const struct directory_row *left = a, *right = b;
    if (left->stat.size != right->stat.size)
        return left->stat.size > right->stat.size ? -1 : 1;
    return compare(a, b);
}

void directory_arrange(struct directory *directory, enum directory_order order, int reverse)
{
    if (order != DIRECTORY_BY_NAME && directory->count > 1)
        qsort(directory->rows, directory->count, sizeof *directory->rows,
              order == DIRECTORY_BY_TIME ? compare_times : compare_sizes);
    for (size_t i = 0, j = directory->count; reverse && i + 1 < j; i++) {
        const struct directory_row other = directory->rows[--j];
        directory->rows[j] = directory->rows[i];
        directory->rows[i] = other;
    }
}

int directory_path(struct buffer *path, const char *directory, const struct directory_row *row)
{
    const size_t length = directory ? strlen(directory) : 0;
    path->length = 0;
    int result = length > 0 ? buffer_append(path, directory, length) : 0;
    if (result == 0 && length > 0 && directory[length - 1] != '/')
        result = buffer_append(path, "/", 1);
    if (result == 0)
        result = buffer_append(path, row->name, row->name_length);
    return result != 0 ? result : buffer_append_text(path, "");
}

uint64_t directory_inode(const struct memfs_stat *stat)
{
    return (uint32_t)stat->node; /* without the generation */
}

void directory_free(struct directory *directory)
{
    buffer_free(&directory->memory);
    buffer_free(&directory->names);
    buffer_free(&directory->batch);
    memset(directory, 0, sizeof *directory);
}
