#include "host_scan_names.h"

#include "backing.h"
#include "host_tree.h"

#include <errno.h>
#include <string.h>

void memfs_scan_names_init(struct memfs_scan_names *names, const struct memfs_allocator *allocator)
{
    *names = (struct memfs_scan_names){.allocator = *allocator};
}

void memfs_scan_names_trim(struct memfs_scan_names *names)
{
    memfs_free(&names->allocator, names->spare, names->spare_room * sizeof *names->spare);
    names->spare = NULL;
    names->spare_room = 0;
}

void memfs_scan_names_free(struct memfs_scan_names *names)
{
    memfs_scan_names_trim(names);
    memfs_free(&names->allocator, names->text, names->text_room);
    memfs_free(&names->allocator, names->names, names->names_room * sizeof *names->names);
    names->text = NULL;
    names->names = NULL;
    names->names_room = names->text_room = 0;
}

static int add_name(void *context, const char *name, size_t length)
{
    struct memfs_scan_names *names = context;
    if (names->count == names->most)
        return -E2BIG;
    void *array = names->names;
    int error = memfs_grow_array(&names->allocator, &array, &names->names_room, names->count, names->count + 1,
                                 sizeof *names->names);
    names->names = array;
    if (!error)
        error = memfs_grow_array(&names->allocator, &names->text, &names->text_room, names->text_used,
                                 names->text_used + length + 1, 1);
    if (error)
        return error;
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < length ? (uint8_t)name[i] : 0u);
    names->names[names->count++] = (struct memfs_scan_name){prefix, names->text_used, length};
    memcpy((char *)names->text + names->text_used, name, length + 1);
    names->text_used += length + 1;
    return 0;
}

static int compare(const struct memfs_scan_names *names, const struct memfs_scan_name *a,
                   const struct memfs_scan_name *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    const char *text = names->text;
    return memfs_name_compare(text + a->offset, a->length, text + b->offset, b->length);
}

static void merge(const struct memfs_scan_names *names, const struct memfs_scan_name *from, size_t low, size_t middle,
                  size_t high, struct memfs_scan_name *to)
{
    size_t a = low, b = middle;
    for (size_t i = low; i < high; i++) {
        if (a < middle && (b >= high || compare(names, &from[a], &from[b]) <= 0))
            to[i] = from[a++];
        else
            to[i] = from[b++];
    }
}

/* Merges ever longer runs. (qsort would take memory that is not ours to take.) */
static int sort(struct memfs_scan_names *names)
{
    void *array = names->spare;
    int error = memfs_grow_array(&names->allocator, &array, &names->spare_room, 0, names->count, sizeof *names->spare);
    names->spare = array;
    if (error)
        return error;
    for (size_t run = 1; run < names->count; run *= 2) {
        for (size_t low = 0; low < names->count; low += 2 * run) {
            size_t middle = low + run < names->count ? low + run : names->count;
            size_t high = middle + run < names->count ? middle + run : names->count;
            merge(names, names->names, low, middle, high, names->spare);
        }
        struct memfs_scan_name *sorted = names->spare;
        size_t room = names->spare_room;
        names->spare = names->names;
        names->spare_room = names->names_room;
        names->names = sorted;
        names->names_room = room;
    }
    return 0;
}

/* A directory that changes while it is read may say a name twice. */
static void drop_repeated(struct memfs_scan_names *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++)
        if (!kept || compare(names, &names->names[kept - 1], &names->names[i]))
            names->names[kept++] = names->names[i];
    names->count = kept;
}

int memfs_scan_names_read(struct memfs_scan_names *names, int fd, void *buffer, size_t most)
{
    names->count = names->text_used = 0;
    names->most = most;
    int error = memfs_host_list_names(fd, buffer, MEMFS_SCAN_NAMES_BUFFER, add_name, names);
    if (!error)
        error = sort(names);
    if (error) {
        names->count = 0;
        return error;
    }
    drop_repeated(names);
    return 0;
}
