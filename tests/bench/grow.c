/*
 * How cost grows with the number of files, in the library: a filesystem is made in
 * memory, looked into, frozen, and opened again.
 *
 * grow FILES IMAGE
 *
 * A thousand files in a directory, each with its number as contents; IMAGE is written.
 */
#include "counted.h"
#include "memfs_image.h"

#define LOOKUPS 200000u
#define PER_DIR 1000u

static void file_path(uint32_t number, char path[40])
{
    snprintf(path, 40, "dir-%05u/file-%07u.txt", number / PER_DIR, number);
}

static memfs *make(uint32_t files)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .allocator = &counted};
    char path[40], text[16];
    bench_check(memfs_create(&options, &fs), "memfs_create");
    for (uint32_t i = 0; i < files; i++) {
        memfs_file *file = NULL;
        snprintf(path, sizeof path, "dir-%05u", i / PER_DIR);
        if (i % PER_DIR == 0)
            bench_check(memfs_mkdir(fs, NULL, path, 0755), "memfs_mkdir");
        file_path(i, path);
        int length = snprintf(text, sizeof text, "%u\n", i);
        bench_check(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), "memfs_open");
        bench_check(memfs_write(file, text, (size_t)length), "memfs_write");
        memfs_close(file);
    }
    return fs;
}

/* Nanoseconds a look-up by path, in random order. */
static double look_up(memfs *fs, uint32_t files)
{
    uint64_t seed = 4;
    struct memfs_stat status;
    char(*paths)[40] = bench_alloc(LOOKUPS * sizeof *paths);
    for (uint32_t i = 0; i < LOOKUPS; i++)
        file_path((uint32_t)(bench_draw(&seed) % files), paths[i]);
    double begin = bench_now();
    for (uint32_t i = 0; i < LOOKUPS; i++)
        bench_check(memfs_stat(fs, NULL, paths[i], &status), paths[i]);
    double seconds = bench_now() - begin;
    free(paths);
    return seconds * 1e9 / LOOKUPS;
}

static void measure_memory(uint32_t files, const char *path)
{
    struct memfs_freeze_options freeze = {.size = sizeof freeze, .replace = 1, .threads = 2};
    double begin = bench_now();
    memfs *fs = make(files);
    bench_report("create", (bench_now() - begin) * 1e9 / files, "ns a file");
    bench_report("memory", (double)atomic_load(&counted_bytes) / files, "bytes a file");
    bench_report("lookup", look_up(fs, files), "ns");
    begin = bench_now();
    bench_check(memfs_freeze_path(fs, path, &freeze, NULL), path);
    bench_report("freeze", (bench_now() - begin) * 1e9 / files, "ns a file");
    memfs_destroy(fs);
}

static void measure_image(uint32_t files, const char *path)
{
    memfs *fs = NULL;
    memfs_image *image = NULL;
    struct memfs_stat status;
    char deep[40];
    double begin = bench_now();
    bench_check(memfs_image_open_path(path, NULL, &image, NULL), path);
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    bench_check(memfs_create(&options, &fs), "memfs_create");
    bench_check(memfs_node_stat(fs, MEMFS_ROOT, &status), "memfs_node_stat");
    bench_report("open", (bench_now() - begin) * 1e6, "us");
    file_path(files / 2, deep);
    begin = bench_now();
    bench_check(memfs_stat(fs, NULL, deep, &status), deep);
    bench_report("first lookup", (bench_now() - begin) * 1e6, "us");
    look_up(fs, files);
    bench_report("lookup in image", look_up(fs, files), "ns");
    memfs_destroy(fs);
    memfs_image_close(image);
}

int main(int argc, char **argv)
{
    uint32_t files = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    if (files == 0) {
        fprintf(stderr, "usage: grow FILES IMAGE\n");
        return 2;
    }
    measure_memory(files, argv[2]);
    measure_image(files, argv[2]);
    return 0;
}
