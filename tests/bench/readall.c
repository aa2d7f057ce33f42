/*
 * Reads every file of an image through the library: one thread lists the
 * directories in path order, the others read the files of those it has listed, each
 * the next directory; when it is done it joins them. Opening and listing are counted.
 *
 * readall [-j THREADS] IMAGE
 */
#define _GNU_SOURCE
#include "bench.h"
#include "memfs_image.h"

#include <pthread.h>
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
    size_t count;
    size_t *dirs;         /* their first files; one more for the end */
    char last[4096];      /* directory of the last file */
    pthread_mutex_t lock; /* binds what follows */
    pthread_cond_t listed;
    size_t dir_count; /* of which all files are known */
    size_t next;
    int complete;
    uint64_t bytes;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .listed = PTHREAD_COND_INITIALIZER};

/* All files of the directory before are known, if there is one; complete: of all. */
static void end_dir(int complete)
{
    pthread_mutex_lock(&all.lock);
    all.dirs[all.dir_count + (all.count > 0)] = all.count;
    all.dir_count += all.count > 0;
    all.complete = complete;
    pthread_cond_broadcast(&all.listed);
    pthread_mutex_unlock(&all.lock);
}

static int visit(void *context, const char *path, const struct memfs_stat *status)
{
    (void)context;
    if ((status->mode & MEMFS_IFMT) != MEMFS_IFREG)
        return 0;
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof all.last || strncmp(all.last, path, length) != 0 || all.last[length] || all.count == 0) {
        end_dir(0);
        length = length < sizeof all.last ? length : 0;
        memcpy(all.last, path, length);
        all.last[length] = 0;
    }
    all.files[all.count++] = (struct file){status->node, status->size};
    return 0;
}

/* The next directory's number, or -1. */
static ssize_t next_dir(void)
{
    pthread_mutex_lock(&all.lock);
    while (all.next == all.dir_count && !all.complete)
        pthread_cond_wait(&all.listed, &all.lock);
    ssize_t dir = all.next < all.dir_count ? (ssize_t)all.next++ : -1;
    pthread_mutex_unlock(&all.lock);
    return dir;
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
    ssize_t dir;
    while ((dir = next_dir()) >= 0) {
        for (size_t i = all.dirs[dir]; i < all.dirs[dir + 1]; i++)
            bytes += read_file(&all.files[i], buffer);
    }
    pthread_mutex_lock(&all.lock);
    all.bytes += bytes;
    pthread_mutex_unlock(&all.lock);
    free(buffer);
    return NULL;
}

static void measure(const char *path, unsigned threads)
{
    memfs_image *image = NULL;
    pthread_t ids[THREADS_MAX];
    struct memfs_image_statistics statistics;
    struct memfs_image_info info;
    double begin = bench_now();
    bench_check(memfs_image_open_path(path, NULL, &image, NULL), path);
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    bench_check(memfs_create(&options, &all.fs), "memfs_create");
    bench_check(memfs_image_info(image, &info), "memfs_image_info");
    all.files = bench_alloc(info.entries * sizeof *all.files);
    all.dirs = bench_alloc((info.entries + 2) * sizeof *all.dirs);
    for (unsigned i = 1; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, read_dirs, NULL) != 0)
            bench_die("pthread_create", 0);
    }
    bench_check(memfs_walk(all.fs, NULL, "/", MEMFS_WALK_SORTED, visit, NULL), "memfs_walk");
    end_dir(1);
    double listed = bench_now();
    read_dirs(NULL);
    for (unsigned i = 1; i < threads; i++)
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
