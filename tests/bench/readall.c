/*
 * Reads every file of an image through the library: one thread lists the
 * directories in path order, then each thread takes the next one and reads its
 * files. Opening and listing are counted.
 *
 * readall [-j THREADS] IMAGE
 */
#define _GNU_SOURCE
#include "bench.h"
#include "memfs_image.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS_MAX 64
#define READ_BYTES (256 * (size_t)1024)

struct file {
    memfs_node node;
    uint64_t size;
};

static struct {
    memfs *fs;
    struct file *files; /* in path order */
    size_t count, room;
    size_t *dirs; /* their first files; one more for the end */
    size_t dir_count, dir_room;
    char last[4096]; /* directory of the last file */
    _Atomic size_t next;
    _Atomic uint64_t bytes;
} all;

static void *grown(void *array, size_t count, size_t *room, size_t each)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : 1024;
    array = realloc(array, *room * each);
    if (!array)
        bench_die("memory", -ENOMEM);
    return array;
}

static void begin_dir(void)
{
    all.dirs = grown(all.dirs, all.dir_count, &all.dir_room, sizeof *all.dirs);
    all.dirs[all.dir_count++] = all.count;
}

static int visit(void *context, const char *path, const struct memfs_stat *status)
{
    (void)context;
    if ((status->mode & MEMFS_IFMT) != MEMFS_IFREG)
        return 0;
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof all.last || strncmp(all.last, path, length) != 0 || all.last[length] || all.dir_count == 0) {
        begin_dir();
        length = length < sizeof all.last ? length : 0;
        memcpy(all.last, path, length);
        all.last[length] = 0;
    }
    all.files = grown(all.files, all.count, &all.room, sizeof *all.files);
    all.files[all.count++] = (struct file){status->node, status->size};
    return 0;
}

static uint64_t read_file(const struct file *file, char *buffer)
{
    uint64_t at = 0;
    while (at < file->size) {
        int64_t length = memfs_node_read(all.fs, file->node, at, buffer, READ_BYTES);
        if (bench_check(length, "memfs_node_read") == 0)
            break;
        at += (uint64_t)length;
    }
    return at;
}

static void *read_dirs(void *context)
{
    (void)context;
    char *buffer = bench_alloc(READ_BYTES);
    uint64_t bytes = 0;
    size_t dir;
    while ((dir = atomic_fetch_add(&all.next, 1)) < all.dir_count) {
        for (size_t i = all.dirs[dir]; i < all.dirs[dir + 1]; i++)
            bytes += read_file(&all.files[i], buffer);
    }
    atomic_fetch_add(&all.bytes, bytes);
    free(buffer);
    return NULL;
}

static void measure(const char *path, unsigned threads)
{
    memfs_image *image = NULL;
    pthread_t ids[THREADS_MAX];
    struct memfs_image_statistics statistics;
    double begin = bench_now();
    bench_check(memfs_image_open_path(path, NULL, &image, NULL), path);
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    bench_check(memfs_create(&options, &all.fs), "memfs_create");
    bench_check(memfs_walk(all.fs, NULL, "/", MEMFS_WALK_SORTED, visit, NULL), "memfs_walk");
    begin_dir();
    all.dir_count--;
    double listed = bench_now();
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, read_dirs, NULL) != 0)
            bench_die("pthread_create", 0);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    double end = bench_now();
    memfs_image_statistics(image, &statistics);
    bench_report("wall", end - begin, "s");
    bench_report("listing", listed - begin, "s");
    bench_report("bytes", (double)all.bytes, "bytes");
    bench_report("decoded", (double)statistics.decoded_bytes, "bytes");
    memfs_destroy(all.fs);
    memfs_image_close(image);
    free(all.files);
    free(all.dirs);
}

int main(int argc, char **argv)
{
    unsigned threads = 2;
    int option;
    while ((option = getopt(argc, argv, "j:")) != -1) {
        if (option == 'j')
            threads = (unsigned)atoi(optarg);
    }
    if (argc - optind != 1 || threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "usage: readall [-j THREADS] IMAGE\n");
        return 2;
    }
    measure(argv[optind], threads);
    return 0;
}
