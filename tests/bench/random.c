/*
 * Files in random order, each once, by a process that has read none of them: of an
 * image through the library, or of a directory by system calls (where something
 * may be mounted). Each is opened by its path, read whole, and closed.
 *
 * random [-n FILES] [-c CACHE] image IMAGE LIST
 * random [-n FILES] dir DIR LIST
 *
 * LIST is a file of paths, one a line. The same list gives the same files in the
 * same order. CACHE: bytes of decoded blocks that the library keeps.
 */
#define _GNU_SOURCE
#include "bench.h"
#include "memfs_image.h"

#include <fcntl.h>
#include <unistd.h>

static uint32_t count = 2000;
static uint64_t cache;
static char *buffer;

struct list {
    char **paths;
    uint32_t count;
};

static void list_load(struct list *list, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0, room = 0;
    ssize_t length;
    if (!file)
        bench_system(-1, path);
    while ((length = getline(&line, &size, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = 0;
        if (list->count == room) {
            room = room ? 2 * room : 1024;
            list->paths = realloc(list->paths, room * sizeof *list->paths);
        }
        if (!list->paths || !(list->paths[list->count++] = strdup(line)))
            bench_die("memory", -ENOMEM);
    }
    free(line);
    fclose(file);
}

static uint64_t read_from_image(memfs *fs, const char *path)
{
    memfs_file *file = NULL;
    uint64_t bytes = 0;
    int64_t length;
    bench_check(memfs_open(fs, NULL, path, MEMFS_O_READ, 0, &file), path);
    while ((length = bench_check(memfs_read(file, buffer, MIB), path)) > 0)
        bytes += (uint64_t)length;
    memfs_close(file);
    return bytes;
}

static uint64_t read_from_dir(const char *path)
{
    uint64_t bytes = 0;
    int64_t length;
    int fd = (int)bench_system(open(path, O_RDONLY | O_CLOEXEC), path);
    while ((length = bench_system(read(fd, buffer, MIB), path)) > 0)
        bytes += (uint64_t)length;
    close(fd);
    return bytes;
}

/* fs: NULL for the working directory. */
static void measure(const struct list *list, memfs *fs)
{
    uint32_t *order = bench_shuffled(list->count, 3);
    double *seconds = bench_alloc(count * sizeof *seconds);
    uint64_t bytes = 0;
    double begin = bench_now(), before = begin;
    for (uint32_t i = 0; i < count; i++) {
        const char *path = list->paths[order[i]];
        bytes += fs ? read_from_image(fs, path) : read_from_dir(path);
        double now = bench_now();
        seconds[i] = now - before;
        before = now;
    }
    bench_report("total", before - begin, "s");
    bench_report("bytes", (double)bytes, "bytes");
    bench_report("median", bench_median(seconds, count) * 1e6, "us");
    free(seconds);
    free(order);
}

static void measure_image(const struct list *list, const char *path)
{
    memfs *fs = NULL;
    memfs_image *image = NULL;
    struct memfs_image_options options = {.size = sizeof options, .cache_bytes = cache};
    struct memfs_image_statistics statistics;
    bench_check(memfs_image_open_path(path, &options, &image, NULL), path);
    struct memfs_options on_image = {.size = sizeof on_image, .backing = memfs_image_backing(image)};
    bench_check(memfs_create(&on_image, &fs), "memfs_create");
    measure(list, fs);
    memfs_image_statistics(image, &statistics);
    bench_report("decoded", (double)statistics.decoded_bytes, "bytes");
    memfs_destroy(fs);
    memfs_image_close(image);
}

int main(int argc, char **argv)
{
    int option;
    struct list list = {.count = 0};
    while ((option = getopt(argc, argv, "n:c:")) != -1) {
        if (option == 'n')
            count = (uint32_t)atoi(optarg);
        else if (option == 'c')
            cache = strtoull(optarg, NULL, 10);
    }
    if (argc - optind != 3) {
        fprintf(stderr, "usage: random [-n FILES] [-c CACHE] image|dir PATH LIST\n");
        return 2;
    }
    list_load(&list, argv[optind + 2]);
    count = list.count < count ? list.count : count;
    buffer = bench_alloc(MIB);
    memset(buffer, 0, MIB);
    if (strcmp(argv[optind], "image") == 0) {
        measure_image(&list, argv[optind + 1]);
    } else {
        bench_system(chdir(argv[optind + 1]), argv[optind + 1]);
        measure(&list, NULL);
    }
    return 0;
}
