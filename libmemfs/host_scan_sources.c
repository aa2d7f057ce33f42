#define _GNU_SOURCE
#include "host_scan_sources.h"

#include "alloc.h"
#include "backing.h"
#include "retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int is_dots(const char *base, size_t length)
{
    return length && length <= 2 && !memcmp(base, "..", length);
}

/* "a/b" is b in "a/"; "a/b/", "/", ".", ".." and the like are "." in themselves. */
static int fill(const struct memfs_allocator *allocator, const struct memfs_scan_source *source,
                struct memfs_scan_place *place)
{
    size_t name = strlen(source->name), whole = strlen(source->path);
    const char *slash = strrchr(source->path, '/');
    const char *base = slash ? slash + 1 : source->path;
    size_t parent = (size_t)(base - source->path), length = whole - parent;
    if (whole && (!length || is_dots(base, length))) {
        parent = whole;
        base = ".";
        length = 1;
    }
    place->size = name + 1 + parent + 1 + length + 1;
    char *text = place->memory = memfs_alloc(allocator, place->size);
    if (!text)
        return -ENOMEM;
    memcpy(text, source->name, name + 1);
    place->name = text;
    text += name + 1;
    memcpy(text, source->path, parent);
    text[parent] = '\0';
    place->parent = text;
    text += parent + 1;
    memcpy(text, base, length);
    text[length] = '\0';
    place->base = text;
    return 0;
}

static int compare(const struct memfs_scan_place *a, const struct memfs_scan_place *b)
{
    return memfs_name_compare(a->name, strlen(a->name), b->name, strlen(b->name));
}

/* Of the heap in [0, count): what stands at `at` goes down to where it belongs. */
static void sift(struct memfs_scan_place *places, size_t at, size_t count)
{
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && compare(&places[child], &places[child + 1]) < 0)
            child++;
        if (compare(&places[at], &places[child]) >= 0)
            return;
        const struct memfs_scan_place lower = places[at];
        places[at] = places[child];
        places[child] = lower;
        at = child;
    }
}

static void sort(struct memfs_scan_place *places, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift(places, i, count);
    for (size_t last = count; last-- > 1;) {
        const struct memfs_scan_place greatest = places[0];
        places[0] = places[last];
        places[last] = greatest;
        sift(places, 0, last);
    }
}

static int check_names(const struct memfs_scan_source *list, size_t count, const char **wrong)
{
    for (size_t i = 0; i < count; i++) {
        *wrong = list[i].name;
        if (strlen(list[i].name) > MEMFS_NAME_MAX)
            return -ENAMETOOLONG;
        if (!memfs_name_ok(list[i].name, strlen(list[i].name)))
            return -EINVAL;
    }
    return 0;
}

int memfs_scan_sources_init(struct memfs_scan_sources *sources, const struct memfs_allocator *allocator,
                            const struct memfs_scan_source *list, size_t count, const char **wrong)
{
    *sources = (struct memfs_scan_sources){.allocator = *allocator, .listed = 1};
    int error = check_names(list, count, wrong);
    if (error || !count)
        return error;
    *wrong = list[0].name;
    sources->places = memfs_alloc_array(allocator, count, sizeof *sources->places);
    if (!sources->places)
        return -ENOMEM;
    sources->room = count;
    for (; !error && sources->count < count; sources->count++)
        error = fill(allocator, &list[sources->count], &sources->places[sources->count]);
    if (error)
        return error;
    sort(sources->places, count);
    for (size_t i = 1; i < count; i++) {
        *wrong = sources->places[i].name;
        if (!compare(&sources->places[i - 1], &sources->places[i]))
            return -EEXIST;
    }
    return 0;
}

void memfs_scan_sources_free(struct memfs_scan_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        memfs_free(&sources->allocator, sources->places[i].memory, sources->places[i].size);
    if (sources->places)
        memfs_free(&sources->allocator, sources->places, sources->room * sizeof *sources->places);
    *sources = (struct memfs_scan_sources){.listed = 0};
}

/* The current directory may be closed to us; then paths from the root still do. */
int memfs_scan_sources_begin(const struct memfs_scan_source *list, size_t count)
{
    int relative = 0;
    for (size_t i = 0; i < count; i++)
        relative |= list[i].path[0] != '/';
    int fd;
    MEMFS_RETRY(fd, open(relative ? "." : "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return fd < 0 ? -errno : fd;
}

int memfs_scan_sources_enter(const struct memfs_scan_sources *sources, size_t place, int begin)
{
    const char *parent = sources->places[place].parent;
    if (!*parent)
        return begin;
    int fd;
    MEMFS_RETRY(fd, openat(begin, parent, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return fd < 0 ? -errno : fd;
}

void memfs_scan_sources_leave(int parent, int begin)
{
    if (parent >= 0 && parent != begin)
        close(parent);
}
