/*
 * A plain chained hash over directory and name, with a record for each file: what anything that has files by path in
 * memory does at least, and nothing else. No threads, no errors, no permissions, no names longer than these;
 * memory is one long mapping for each kind of record.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "bench.h"

#include <sys/mman.h>
#include <xxhash.h>

#define PLAIN_NAME 19 /* bytes of a name at most */
#define PLAIN_NONE UINT32_MAX
#define PLAIN_ROOT 0u

struct plain_node {
    uint32_t mode, nlink, uid, gid;
    uint64_t size;
    int64_t mtime, ctime, atime;
    char *bytes;
    uint32_t next_free, unused;
};

struct plain_entry {
    uint32_t next, dir, node;
    uint8_t length;
    char name[PLAIN_NAME];
};

/* Entry and node of a file have one number, from 1; the root has a node only. */
struct plain {
    struct plain_node *nodes;
    struct plain_entry *entries;
    uint32_t *heads; /* as many as there is room for files, a power of two; those in use double */
    char *bytes;
    size_t used; /* of bytes */
    uint32_t room, buckets, count, live, free;
};

static void *plain_map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        bench_system(-1, "mmap");
    madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

static size_t plain_bytes(const struct plain *plain)
{
    return (size_t)plain->room * 256;
}

static void plain_init(struct plain *plain, uint32_t files)
{
    *plain = (struct plain){.room = 16, .buckets = 16, .count = 1, .free = PLAIN_NONE};
    while (plain->room < files + 1)
        plain->room *= 2;
    plain->nodes = plain_map(plain->room * sizeof *plain->nodes);
    plain->entries = plain_map(plain->room * sizeof *plain->entries);
    plain->heads = plain_map(plain->room * sizeof *plain->heads);
    plain->bytes = plain_map(plain_bytes(plain));
    memset(plain->heads, 0xFF, plain->buckets * sizeof *plain->heads);
    plain->nodes[PLAIN_ROOT].mode = MEMFS_IFDIR | 0755;
}

static void plain_free(struct plain *plain)
{
    munmap(plain->nodes, plain->room * sizeof *plain->nodes);
    munmap(plain->entries, plain->room * sizeof *plain->entries);
    munmap(plain->heads, plain->room * sizeof *plain->heads);
    munmap(plain->bytes, plain_bytes(plain));
}

static uint32_t plain_bucket(const struct plain *plain, uint32_t dir, const char *name, size_t length)
{
    return (uint32_t)XXH3_64bits_withSeed(name, length, dir) & (plain->buckets - 1);
}

/* Where the number of a name's entry stands, or would. */
static uint32_t *plain_find(struct plain *plain, uint32_t dir, const char *name, size_t length)
{
    uint32_t *link = &plain->heads[plain_bucket(plain, dir, name, length)];
    while (*link != PLAIN_NONE) {
        struct plain_entry *entry = &plain->entries[*link];
        if (entry->dir == dir && entry->length == length && memcmp(entry->name, name, length) == 0)
            break;
        link = &entry->next;
    }
    return link;
}

struct plain_place {
    uint32_t *link, dir;
    const char *name;
    size_t length;
};

/* All but the last name of a path has to be there. */
static struct plain_place plain_walk(struct plain *plain, const char *path)
{
    struct plain_place place = {.dir = PLAIN_ROOT};
    for (;;) {
        const char *slash = strchr(path, '/');
        place.name = path;
        place.length = slash ? (size_t)(slash - path) : strlen(path);
        place.link = plain_find(plain, place.dir, place.name, place.length);
        if (!slash)
            return place;
        if (*place.link == PLAIN_NONE)
            bench_die(path, -ENOENT);
        place.dir = *place.link;
        path = slash + 1;
    }
}

static struct plain_node *plain_look(struct plain *plain, const char *path)
{
    struct plain_place place = plain_walk(plain, path);
    if (*place.link == PLAIN_NONE)
        bench_die(path, -ENOENT);
    return &plain->nodes[*place.link];
}

static void plain_grow(struct plain *plain)
{
    plain->buckets *= 2;
    memset(plain->heads, 0xFF, plain->buckets * sizeof *plain->heads);
    for (uint32_t i = 1; i < plain->count; i++) {
        struct plain_entry *entry = &plain->entries[i];
        uint32_t *head = &plain->heads[plain_bucket(plain, entry->dir, entry->name, entry->length)];
        entry->next = *head;
        *head = i;
    }
}

static struct plain_node *plain_make(struct plain *plain, const char *path, uint32_t mode)
{
    if (plain->count == plain->buckets && plain->free == PLAIN_NONE) /* none of them is free then */
        plain_grow(plain);
    struct plain_place place = plain_walk(plain, path);
    if (*place.link != PLAIN_NONE || place.length > PLAIN_NAME)
        bench_die(path, -EEXIST);
    uint32_t number = plain->free;
    if (number == PLAIN_NONE)
        number = plain->count++;
    else
        plain->free = plain->nodes[number].next_free;
    if (number >= plain->room)
        bench_die(path, -ENOSPC);
    *place.link = number;
    struct plain_entry *entry = &plain->entries[number];
    *entry =
        (struct plain_entry){.next = PLAIN_NONE, .dir = place.dir, .node = number, .length = (uint8_t)place.length};
    memcpy(entry->name, place.name, place.length);
    const int64_t now = memfs_clock_coarse(NULL);
    char *bytes = plain->nodes[number].bytes;
    plain->nodes[number] =
        (struct plain_node){.mode = mode, .nlink = 1, .mtime = now, .ctime = now, .atime = now, .bytes = bytes};
    return &plain->nodes[number];
}

/* All of a file, once or always as much; what was a file's is the next one's of its number. */
static void plain_write(struct plain *plain, struct plain_node *node, const char *bytes, size_t length)
{
    if (!node->bytes) {
        node->bytes = plain->bytes + plain->used;
        plain->used += (length + 15) / 16 * 16;
        if (plain->used > plain_bytes(plain))
            bench_die("contents", -ENOSPC);
    }
    memcpy(node->bytes, bytes, length);
    node->size = length;
    node->mtime = node->ctime = memfs_clock_coarse(NULL);
}

static void plain_stat(struct plain *plain, const char *path, struct memfs_stat *out)
{
    const struct plain_node *node = plain_look(plain, path);
    *out = (struct memfs_stat){.mode = node->mode,
                               .nlink = node->nlink,
                               .uid = node->uid,
                               .gid = node->gid,
                               .size = node->size,
                               .mtime = node->mtime,
                               .ctime = node->ctime,
                               .atime = node->atime};
}

static size_t plain_read(struct plain *plain, const char *path, char *buffer, size_t size)
{
    const struct plain_node *node = plain_look(plain, path);
    const size_t length = node->size < size ? (size_t)node->size : size;
    memcpy(buffer, node->bytes, length);
    return length;
}

static void plain_unlink(struct plain *plain, const char *path)
{
    struct plain_place place = plain_walk(plain, path);
    const uint32_t number = *place.link;
    if (number == PLAIN_NONE)
        bench_die(path, -ENOENT);
    *place.link = plain->entries[number].next;
    plain->nodes[number].nlink = 0;
    plain->nodes[number].next_free = plain->free;
    plain->free = number;
}

#endif
