/*
 * Opening an image in a process that is already there: the image, a filesystem
 * on it, its root's attributes, and everything closed again.
 *
 * open IMAGE [TIMES]
 */
#include "bench.h"
#include "memfs_image.h"

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
    size_t times = argc > 2 ? strtoull(argv[2], NULL, 10) : 101;
    if (argc < 2 || times == 0) {
        fprintf(stderr, "usage: open IMAGE [TIMES]\n");
        return 2;
    }
    double *seconds = bench_alloc(times * sizeof *seconds);
    for (size_t i = 0; i < times; i++)
        seconds[i] = open_once(argv[1]);
    bench_report("open", bench_median(seconds, times) * 1e6, "us");
    free(seconds);
    return 0;
}
