/*
 * Makes the seeds, small images of different make: make_seeds DIRECTORY
 */
#include "memfs.h"
#include "memfs_image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(int64_t result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "make_seeds: %s: %s\n", what, memfs_strerror((int)result));
        exit(1);
    }
}

static void put(memfs *fs, const char *path, const void *data, size_t length)
{
    memfs_file *file;
    need(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), path);
    if (length)
        need(memfs_write(file, data, length), path);
    memfs_close(file);
}

static void put_noise(memfs *fs, const char *path, size_t length, uint32_t seed)
{
    uint8_t *data = malloc(length);
    if (!data)
        need(-ENOMEM, "memory");
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
    put(fs, path, data, length);
    free(data);
}

/* ---- The trees ------------------------------------------------------------------ */

static void make_empty(memfs *fs)
{
    (void)fs;
}

static void make_one_file(memfs *fs)
{
    put(fs, "hello", "hello, world\n", 13);
}

static void make_names(memfs *fs)
{
    char name[300];
    for (int i = 0; i < 600; i++) { /* two chunks of entries */
        snprintf(name, sizeof name, "d%d", i % 7);
        if (i < 7)
            need(memfs_mkdir(fs, NULL, name, 0755), name);
        snprintf(name, sizeof name, "d%d/name-%d", i % 7, i * 7919);
        put(fs, name, "", 0);
    }
    memset(name, 'x', 255);
    name[255] = 0;
    put(fs, name, "long", 4);
    put(fs, "\x01\xff\n \"\\", "odd", 3);
}

static void make_types(memfs *fs)
{
    need(memfs_mkdir(fs, NULL, "deep", 01777), "deep");
    need(memfs_mkdir(fs, NULL, "deep/deeper", 02755), "deeper");
    need(memfs_mkdir(fs, NULL, "deep/deeper/deepest", 0700), "deepest");
    need(memfs_symlink(fs, NULL, "../hello", "deep/symlink"), "symlink");
    need(memfs_symlink(fs, NULL, "nowhere", "deep/deeper/dangling"), "dangling");
    need(memfs_mknod(fs, NULL, "fifo", MEMFS_IFIFO | 0600, 0, 0), "fifo");
    need(memfs_mknod(fs, NULL, "socket", MEMFS_IFSOCK | 0600, 0, 0), "socket");
    need(memfs_mknod(fs, NULL, "null", MEMFS_IFCHR | 0666, 1, 3), "null");
    need(memfs_mknod(fs, NULL, "disk", MEMFS_IFBLK | 0660, 8, 0), "disk");
    put(fs, "setuid", "#!", 2);
    need(memfs_link(fs, NULL, "setuid", "deep/deeper/deepest/link"), "link");
    need(memfs_link(fs, NULL, "fifo", "deep/fifo"), "link");
    need(memfs_link(fs, NULL, "deep/symlink", "symlink"), "link");
    struct memfs_setattr set = {.set = MEMFS_SET_MODE | MEMFS_SET_UID | MEMFS_SET_MTIME,
                                .mode = 06755,
                                .uid = 4294967294u,
                                .mtime = -123456789012345678};
    need(memfs_setattr(fs, NULL, "setuid", 1, &set), "setattr");
}

static void make_xattrs(memfs *fs)
{
    char value[3000];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < 10; i++) {
        char name[40];
        snprintf(name, sizeof name, "file%d", i);
        put(fs, name, name, strlen(name));
        need(memfs_setxattr(fs, NULL, name, 1, "user.shared", "the same", 8, 0), name);
        need(memfs_setxattr(fs, NULL, name, 1, "user.empty", "", 0, 0), name);
        if (i % 3 == 0)
            need(memfs_setxattr(fs, NULL, name, 1, "user.long", value, sizeof value, 0), name);
    }
    need(memfs_setxattr(fs, NULL, "/", 1, "trusted.root", "1", 1, 0), "root");
}

static void make_sparse(memfs *fs)
{
    memfs_file *file;
    need(memfs_open(fs, NULL, "sparse", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file), "sparse");
    need(memfs_pwrite(file, "begin", 5, 0), "sparse");
    need(memfs_pwrite(file, "middle", 6, 100000), "sparse");
    need(memfs_pwrite(file, "far", 3, (uint64_t)5 << 30), "sparse");
    memfs_close(file);
    put(fs, "zeros", "", 0);
    need(memfs_truncate(fs, NULL, "zeros", (uint64_t)1 << 50), "zeros");
}

static void make_blocks(memfs *fs) /* of 64 KiB: several of them, some raw, equal files */
{
    put_noise(fs, "noise", 70000, 1);
    put_noise(fs, "same-noise", 70000, 1);
    put_noise(fs, "short-noise", 333, 2);
    char *text = malloc(200000);
    if (!text)
        need(-ENOMEM, "memory");
    for (int i = 0; i < 200000; i++)
        text[i] = (char)('a' + i % 23);
    put(fs, "text", text, 200000);
    put(fs, "text-too", text, 200000);
    free(text);
}

static const struct seed {
    const char *name;
    void (*make)(memfs *fs);
    const char *message;
} seeds[] = {
    {"empty", make_empty, NULL},          {"one-file", make_one_file, "a message"},
    {"names", make_names, NULL},          {"types", make_types, NULL},
    {"xattrs", make_xattrs, NULL},        {"sparse", make_sparse, NULL},
    {"blocks", make_blocks, "in blocks"},
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_seeds DIRECTORY\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        memfs *fs;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.mfs", argv[1], seeds[i].name);
        need(memfs_create(NULL, &fs), "create");
        seeds[i].make(fs);
        struct memfs_freeze_options options = {.size = sizeof options,
                                               .message = seeds[i].message,
                                               .block_size = 65536,
                                               .has_time = seeds[i].message != NULL,
                                               .time = 1000000007,
                                               .replace = 1,
                                               .file_mode = 0644};
        struct memfs_detail detail = {.text = ""};
        int error = memfs_freeze_path(fs, path, &options, &detail);
        if (error)
            fprintf(stderr, "make_seeds: %s: %s\n", path, detail.text);
        need(error, "freeze");
        memfs_destroy(fs);
    }
    return 0;
}
