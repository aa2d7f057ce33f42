#include "info/largest.h"

#include "list/rooted.h"
#include "output/output.h"
#include "values/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int largest_begin(struct largest *largest, size_t wanted)
{
    memset(largest, 0, sizeof *largest);
    largest->files = calloc(wanted > 0 ? wanted : 1, sizeof *largest->files);
    largest->wanted = wanted;
    return largest->files ? 0 : -ENOMEM;
}

/* Does one stand before the other in the list? */
static int precedes(const struct largest_file *one, const struct largest_file *other)
{
    return one->size != other->size ? one->size > other->size : one->number < other->number;
}

static void swap(struct largest_file *one, struct largest_file *other)
{
    const struct largest_file kept = *one;
    *one = *other;
    *other = kept;
}

static void sift_up(struct largest_file *files, size_t at)
{
    for (; at > 0 && precedes(&files[(at - 1) / 2], &files[at]); at = (at - 1) / 2)
        swap(&files[(at - 1) / 2], &files[at]);
}

static void sift_down(struct largest_file *files, size_t count)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && precedes(&files[child], &files[child + 1]))
            child++;
        if (!precedes(&files[at], &files[child]))
            return;
        swap(&files[at], &files[child]);
    }
}

void largest_add(struct largest *largest, memfs_node dir, const struct memfs_dirent *entry, uint64_t stored)
{
    struct largest_file file = {.size = entry->stat.size,
                                .allocated = entry->stat.allocated,
                                .stored = stored,
                                .number = largest->met++,
                                .dir = dir,
                                .name_length = entry->name_length};
    if (largest->count == largest->wanted && (largest->wanted == 0 || !precedes(&file, &largest->files[0])))
        return;
    memcpy(file.name, entry->name, entry->name_length);
    if (largest->count < largest->wanted) {
        largest->files[largest->count++] = file;
        sift_up(largest->files, largest->count - 1);
    } else {
        largest->files[0] = file;
        sift_down(largest->files, largest->count);
    }
}

static int compare(const void *a, const void *b)
{
    return precedes(a, b) ? -1 : 1;
}

void largest_sort(struct largest *largest)
{
    if (largest->count > 1)
        qsort(largest->files, largest->count, sizeof *largest->files, compare);
}

/* The path from the root, without a leading slash, in place of what is in path. */
static int make_path(const struct largest_file *file, memfs *fs, struct buffer *path)
{
    int result = rooted_directory(path, fs, file->dir);
    if (result == 0 && path->length > 1)
        result = buffer_append(path, "/", 1);
    return result ? result : buffer_append(path, file->name, file->name_length);
}

static void print_file(const struct largest_file *file, const struct buffer *path)
{
    char size[QUANTITY_ROOM], stored[QUANTITY_ROOM];
    output("%12s  %12s  ", quantity_bytes(file->size, size), quantity_bytes(file->stored, stored));
    output_name(path->data + 1, path->length - 1);
    output("\n");
}

static void json_file(const struct largest_file *file, const struct buffer *path, struct json *json)
{
    json_open(json, NULL, 0);
    json_bytes(json, "path", path->data + 1, path->length - 1);
    json_unsigned(json, "size", file->size);
    json_unsigned(json, "allocated", file->allocated);
    json_unsigned(json, "stored", file->stored);
    json_close(json, 0);
}

/* As text without json. */
static int put_all(const struct largest *largest, memfs *fs, struct json *json)
{
    struct buffer path = {0};
    int result = 0;
    for (size_t i = 0; i < largest->count && result == 0; i++) {
        result = make_path(&largest->files[i], fs, &path);
        if (result == 0 && json)
            json_file(&largest->files[i], &path, json);
        else if (result == 0)
            print_file(&largest->files[i], &path);
    }
    buffer_free(&path);
    return result;
}

int largest_print(const struct largest *largest, memfs *fs)
{
    output("%12s  %12s  %s\n", "size", "stored", "largest files");
    return put_all(largest, fs, NULL);
}

int largest_json(const struct largest *largest, memfs *fs, struct json *json)
{
    json_open(json, "largest", 1);
    const int result = put_all(largest, fs, json);
    json_close(json, 1);
    return result;
}

void largest_free(struct largest *largest)
{
    free(largest->files);
    memset(largest, 0, sizeof *largest);
}
