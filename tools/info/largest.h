/*
 * The largest of any number of files. Memory depends on how many are wanted only.
 */
#ifndef MEMFS_TOOLS_LARGEST_H
#define MEMFS_TOOLS_LARGEST_H

#include "output/json.h"
#include "system/buffer.h"
#include "system/input.h"

struct largest_file {
    uint64_t size, allocated, stored;
    uint64_t number; /* in the order in which they were met: of equal ones the first count */
    memfs_node dir;
    uint8_t name_length;
    char name[MEMFS_NAME_MAX];
};

/* Zeroed: none are wanted. */
struct largest {
    struct largest_file *files; /* a heap, the least first; largest_sort() makes it a list, the largest first */
    size_t count, wanted;
    uint64_t met;
};

/* 0 or -ENOMEM. */
int largest_begin(struct largest *largest, size_t wanted);
void largest_add(struct largest *largest, memfs_node dir, const struct memfs_dirent *entry, uint64_t stored);
void largest_sort(struct largest *largest);

/* Once sorted: as text; as a member of an object. 0, or the library's error. */
int largest_print(const struct largest *largest, memfs *fs);
int largest_json(const struct largest *largest, memfs *fs, struct json *json);

void largest_free(struct largest *largest);

#endif
