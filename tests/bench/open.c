/*
 * Opening images in a process that is already there: the image, a filesystem on it, its root's
 * attributes, and everything closed again. The images take turns, so that what the machine does
 * besides meets all.
 *
 * open IMAGE...
 */
#include "bench.h"
#include "memfs_image.h"

#define TIMES ((size_t)101)

static double open_once(const char *path)
{
    memfs *fs = NULL;
    memfs_image *image = NULL;
    struct memfs_stat status;
    double begin = bench_now();
    bench_check(memfs_image_open_path(path, NULL, &image, NULL), path);
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    bench_check(memfs_create(&options, &fs), "memfs_create");
    bench_check(memfs_node_stat(fs, MEMFS_ROOT, &status), "memfs_node_stat");
    double seconds = bench_now() - begin;
    memfs_destroy(fs);
    memfs_image_close(image);
    return seconds;
}

int main(int argc, char **argv)
{
    const size_t images = (size_t)argc - 1;
    if (argc < 2) {
        fprintf(stderr, "usage: open IMAGE...\n");
        return 2;
    }
    double *seconds = bench_alloc(images * TIMES * sizeof *seconds);
    for (size_t i = 0; i < TIMES; i++) {
        for (size_t turn = 0; turn < images; turn++) {
            const size_t image = (i + turn) % images; /* so that each comes behind each other */
            seconds[image * TIMES + i] = open_once(argv[1 + image]);
        }
    }
    for (size_t image = 0; image < images; image++) {
        char name[32];
        snprintf(name, sizeof name, "open %zu", image + 1);
        bench_report(name, bench_median(seconds + image * TIMES, TIMES) * 1e6, "us");
    }
    free(seconds);
    return 0;
}
