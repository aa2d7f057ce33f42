/*
 * Look-up by path: a million files, six levels down, in random order; by two threads
 * too, and in a filesystem opened from its image, all of it resident.
 *
 * lookup [--scale PERCENT]
 */
#define _GNU_SOURCE
#include "bench.h"
#include "memfs_image.h"

#include <pthread.h>
#include <sys/mman.h>

static unsigned scale = 100;

static memfs *make_fs(void)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .clock = memfs_clock_realtime};
    bench_check(memfs_create(&options, &fs), "memfs_create");
    return fs;
}

/* ---- Look-up by path ---------------------------------------------------------------- */

#define LEVELS 6
#define FAN 10 /* entries of a directory */
#define PASSES 5

/* FAN to the power of LEVELS files, and the directories above them. */
struct forest {
    unsigned levels;
    uint32_t files;
    char (*paths)[64]; /* shuffled */
};

static void forest_path(const struct forest *forest, uint32_t number, unsigned levels, char *path)
{
    uint32_t unit = forest->files;
    for (unsigned level = 1; level <= levels; level++) {
        unit /= FAN;
        path += sprintf(path, level < forest->levels ? "dir-%u/" : "file-%u", number / unit % FAN);
    }
}

static void forest_name(struct forest *forest)
{
    forest->levels = scale < 100 ? LEVELS - 1 : LEVELS;
    forest->files = 1;
    for (unsigned i = 0; i < forest->levels; i++)
        forest->files *= FAN;
    forest->paths = bench_alloc(forest->files * sizeof *forest->paths);
    uint32_t *order = bench_shuffled(forest->files, 2);
    for (uint32_t i = 0; i < forest->files; i++)
        forest_path(forest, order[i], forest->levels, forest->paths[i]);
    free(order);
}

static memfs *forest_make(const struct forest *forest)
{
    memfs *fs = make_fs();
    char path[64];
    uint32_t unit = forest->files;
    for (unsigned level = 1; level < forest->levels; level++) {
        unit /= FAN;
        for (uint32_t i = 0; i < forest->files; i += unit) {
            forest_path(forest, i, level, path);
            bench_check(memfs_mkdir(fs, NULL, path, 0755), "memfs_mkdir");
        }
    }
    for (uint32_t i = 0; i < forest->files; i++) {
        forest_path(forest, i, forest->levels, path);
        bench_check(memfs_mknod(fs, NULL, path, MEMFS_IFREG | 0644, 0, 0), "memfs_mknod");
    }
    return fs;
}

struct search {
    const struct forest *forest;
    memfs *fs;
    uint32_t start; /* so that no two threads look for the same at once */
    pthread_t thread;
};

static void *search_stat(void *context)
{
    const struct search *search = context;
    struct memfs_stat status;
    for (uint32_t i = 0; i < search->forest->files; i++) {
        uint32_t at = search->start + i;
        at = at < search->forest->files ? at : at - search->forest->files;
        bench_check(memfs_stat(search->fs, NULL, search->forest->paths[at], &status), "memfs_stat");
    }
    return NULL;
}

static void *search_resolve(void *context)
{
    const struct search *search = context;
    for (uint32_t i = 0; i < search->forest->files; i++)
        bench_check(memfs_resolve(search->fs, NULL, search->forest->paths[i], 1, NULL), "memfs_resolve");
    return NULL;
}

static double search_alone(struct search *search, void *(*run)(void *))
{
    double begin = bench_now();
    run(search);
    return search->forest->files / (bench_now() - begin) / 1e6;
}

/* The median of several passes. */
static double search_often(struct search *search, void *(*run)(void *))
{
    double rates[PASSES];
    for (size_t i = 0; i < PASSES; i++)
        rates[i] = search_alone(search, run);
    return bench_median(rates, PASSES);
}

/* Two threads, on one filesystem or each on its own: millions a second of both. */
static double search_both(const struct forest *forest, memfs *one, memfs *two)
{
    struct search searches[2] = {{.forest = forest, .fs = one},
                                 {.forest = forest, .fs = two, .start = forest->files / 2}};
    double begin = bench_now();
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&searches[i].thread, NULL, search_stat, &searches[i]) != 0)
            bench_die("pthread_create", 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(searches[i].thread, NULL);
    return 2 * forest->files / (bench_now() - begin) / 1e6;
}

/* ---- The floor ------------------------------------------------------------------------ */

#define CACHED 30 /* paths of which all is in the processor's cache */
#define SLOT 4    /* bytes of the library's records: of a hint, */
#define ENTRY 48  /* of an entry with its name, */
#define NODE 64   /* and of a node */

static char *zeroed(size_t size)
{
    const size_t huge = 2 * MIB;
    char *memory = aligned_alloc(huge, (size + huge - 1) / huge * huge);
    if (!memory)
        bench_die("memory", -ENOMEM);
    madvise(memory, size, MADV_HUGEPAGE);
    memset(memory, 0, size);
    return memory;
}

/* What a look-up by path has to wait for at least, in nanoseconds: the path; by its hash, where in the tables
 * it leads to; there, an entry with its name and its node, and those of its directory. Zeros that are read keep the
 * next look-up from beginning before. */
static double wait_twice(const struct forest *forest)
{
    const uint32_t files = forest->files, dirs = files / FAN;
    uint32_t slots = 1;
    while (slots < files)
        slots *= 2;
    char *slot = zeroed((size_t)slots * SLOT), *entry = zeroed((size_t)files * ENTRY),
         *node = zeroed((size_t)files * NODE);
    uint64_t state = 3;
    size_t zero = 0;
    double begin = bench_now();
    for (uint32_t i = 0; i < files; i++) {
        const uint64_t draw = bench_draw(&state);
        zero += (size_t)(forest->paths[i + zero][0] == 0);
        const size_t end = (size_t)slot[(draw % slots + zero) * SLOT],
                     above = (size_t)slot[((draw >> 24) % slots + zero) * SLOT];
        const size_t file = (draw >> 20) % files + end, dir = (draw >> 30) % dirs + above;
        zero += (size_t)(entry[file * ENTRY] + node[file * NODE] + entry[dir * ENTRY] + node[dir * NODE]);
    }
    double result = (bench_now() - begin) / files * 1e9;
    free(slot);
    free(entry);
    free(node);
    return result + (double)zero;
}

/* The same few again and again: what it takes when there is nothing to wait for, in nanoseconds. */
static double search_cached(const struct search *search)
{
    struct memfs_stat status;
    const uint32_t files = search->forest->files;
    double begin = bench_now();
    for (uint32_t i = 0; i < files; i++)
        bench_check(memfs_stat(search->fs, NULL, search->forest->paths[i % CACHED], &status), "memfs_stat");
    return (bench_now() - begin) / files * 1e9;
}

/* Of each the median of several passes, which take turns. */
static void measure_one(struct search *search)
{
    double rates[PASSES], cached[PASSES], waits[PASSES];
    for (size_t i = 0; i < PASSES; i++) {
        rates[i] = search_alone(search, search_stat);
        cached[i] = search_cached(search);
        waits[i] = wait_twice(search->forest);
    }
    bench_report("lookup", bench_median(rates, PASSES), "million/s");
    bench_report("lookup, cached", bench_median(cached, PASSES), "ns");
    bench_report("lookup, waits", bench_median(waits, PASSES), "ns");
}

static void measure_two(const struct forest *forest, memfs *one, memfs *two)
{
    double shared[PASSES], apart[PASSES];
    for (size_t i = 0; i < PASSES; i++) {
        shared[i] = search_both(forest, one, one);
        apart[i] = search_both(forest, one, two);
    }
    bench_report("lookup 2 threads on one", bench_median(shared, PASSES), "million/s");
    bench_report("lookup 2 threads on two", bench_median(apart, PASSES), "million/s");
}

static void measure_lookup(void)
{
    struct forest forest;
    forest_name(&forest);
    memfs *one = forest_make(&forest), *two = forest_make(&forest);
    struct search search = {.forest = &forest, .fs = one};
    search_alone(&search, search_stat);
    measure_one(&search);
    bench_report("lookup without attributes", search_often(&search, search_resolve), "million/s");
    measure_two(&forest, one, two);
    memfs_destroy(one);
    memfs_destroy(two);
    free(forest.paths);
}

/* ---- The same in an image ------------------------------------------------------------ */

struct memory {
    char *data;
    size_t length, size;
};

static int memory_write(void *context, const void *data, size_t length)
{
    struct memory *memory = context;
    if (length > memory->size - memory->length) {
        memory->size = (memory->length + length) * 2;
        memory->data = realloc(memory->data, memory->size);
        if (!memory->data)
            return -ENOMEM;
    }
    memcpy(memory->data + memory->length, data, length);
    memory->length += length;
    return 0;
}

static void measure_image(void)
{
    struct forest forest;
    struct memory memory = {.data = NULL};
    struct memfs_sink sink = {.write = memory_write, .context = &memory};
    forest_name(&forest);
    memfs *fs = forest_make(&forest);
    bench_check(memfs_freeze(fs, &sink, NULL, NULL), "memfs_freeze");
    memfs_destroy(fs);

    memfs_image *image = NULL;
    struct memfs_image_options options = {.size = sizeof options, .cache_bytes = UINT64_C(8) << 30};
    bench_check(memfs_image_open_buffer(memory.data, memory.length, &options, &image, NULL), "memfs_image_open_buffer");
    struct memfs_options on_image = {.size = sizeof on_image, .backing = memfs_image_backing(image)};
    bench_check(memfs_create(&on_image, &fs), "memfs_create");
    struct search search = {.forest = &forest, .fs = fs};
    bench_report("lookup in image, first pass", search_alone(&search, search_stat), "million/s");
    bench_report("lookup in image", search_often(&search, search_stat), "million/s");
    memfs_destroy(fs);
    memfs_image_close(image);
    free(memory.data);
    free(forest.paths);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--scale") == 0) {
        scale = (unsigned)atoi(argv[2]);
    } else if (argc > 1) {
        fputs("usage: lookup [--scale PERCENT]\n", stderr);
        return 2;
    }
    measure_lookup();
    measure_image();
    return 0;
}
