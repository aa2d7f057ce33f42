/*
 * The floor: what is to be done in any case, by as many threads as there are.
 *
 * floor [-j THREADS] [-l LEVEL] [-b BLOCK] PART PATH
 *
 *   list        names, sizes and attributes of all in the directory PATH, by one thread
 *   read        opens, reads and closes every file of it
 *   compress    zstd over the same bytes, which are in memory: all files in path order, in blocks
 *   pack        both at once: whoever takes a block reads its files and compresses it
 *   decompress  those blocks, in memory
 *   verify      the same, read from a file in memory, and XXH3 over the blocks as they are stored and over
 *               what they decode to, of which the last 32 MiB are kept
 *   keep        decompresses them, keeps the last 128 MiB, and copies each byte once
 *   hash        XXH3 over the file PATH, by one thread
 *
 * Listing the directory is counted by the first alone.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#define THREADS_MAX 64
#define KEPT_BYTES (128 * MIB) /* as far back as equal parts are found by default */
#define AGAIN_BYTES (32 * MIB) /* of linux more is needed again by later files, 36 MiB at one time */
#define COPY_BYTES (256 * (size_t)1024)

struct file {
    char *path;
    uint64_t start, size; /* in all files, one after the other */
};

static struct {
    unsigned threads;
    int level;
    size_t block;
    int lists; /* extended attributes too */
    struct file *files;
    size_t count;
    uint64_t bytes;
    char *raw; /* NULL: not kept */
    struct frame {
        char *data;
        size_t size;
        off_t offset; /* in the file, if there is one */
    } * frames;
    int file;
    char *kept;
    size_t kept_bytes;
    size_t blocks;
    _Atomic size_t next; /* block that nobody has taken */
    _Atomic uint64_t stored;
} all = {.threads = 2, .level = 3, .block = MIB};

/* ---- The files ------------------------------------------------------------------------- */

static int add_file(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)where;
    if (all.lists && llistxattr(path, NULL, 0) < 0 && errno != ENOTSUP)
        bench_die(path, -errno);
    if (type != FTW_F || !S_ISREG(status->st_mode))
        return 0;
    if ((all.count & (all.count - 1)) == 0) {
        all.files = realloc(all.files, (all.count ? 2 * all.count : 1) * sizeof *all.files);
        if (!all.files)
            bench_die("memory", -ENOMEM);
    }
    char *copy = strdup(path);
    if (!copy)
        bench_die("memory", -ENOMEM);
    all.files[all.count++] = (struct file){.path = copy, .size = (uint64_t)status->st_size};
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static void list_files(const char *dir)
{
    bench_system(nftw(dir, add_file, 64, FTW_PHYS), dir);
    if (all.count == 0)
        bench_die("no files", 0);
    qsort(all.files, all.count, sizeof *all.files, compare_paths);
    for (size_t i = 0; i < all.count; i++) {
        all.files[i].start = all.bytes;
        all.bytes += all.files[i].size;
    }
    all.blocks = (size_t)((all.bytes + all.block - 1) / all.block);
    all.frames = calloc(all.blocks, sizeof *all.frames);
    if (!all.frames)
        bench_die("memory", -ENOMEM);
}

/* The file in which a byte lies, or the first behind it. */
static size_t find_file(uint64_t start)
{
    size_t low = 0, high = all.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all.files[middle].start + all.files[middle].size <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t block_length(size_t number)
{
    uint64_t left = all.bytes - (uint64_t)number * all.block;
    return left < all.block ? (size_t)left : all.block;
}

/* Files on the border of two blocks are opened for both. */
static void read_block(size_t number, char *into)
{
    uint64_t start = (uint64_t)number * all.block, end = start + block_length(number);
    for (size_t i = find_file(start); i < all.count && all.files[i].start < end; i++) {
        const struct file *file = &all.files[i];
        uint64_t from = file->start > start ? file->start : start;
        uint64_t to = file->start + file->size < end ? file->start + file->size : end;
        int fd = (int)bench_system(open(file->path, O_RDONLY | O_CLOEXEC), file->path);
        if (pread(fd, into + (from - start), (size_t)(to - from), (off_t)(from - file->start)) != (ssize_t)(to - from))
            bench_die(file->path, 0);
        close(fd);
    }
}

/* ---- Work on blocks, by all threads ---------------------------------------------------------- */

struct work {
    void (*run)(struct work *work, size_t block);
    int keep; /* what comes out of compressing */
    ZSTD_CCtx *compressing;
    ZSTD_DCtx *decompressing;
    char *in, *out;
    pthread_t thread;
};

static void run_read(struct work *work, size_t block)
{
    read_block(block, all.raw ? all.raw + block * all.block : work->in);
}

static void compress(struct work *work, size_t block, const char *in)
{
    size_t size = ZSTD_compress2(work->compressing, work->out, ZSTD_compressBound(all.block), in, block_length(block));
    if (ZSTD_isError(size))
        bench_die("ZSTD_compress2", 0);
    atomic_fetch_add(&all.stored, size);
    if (!work->keep)
        return;
    all.frames[block] = (struct frame){.data = bench_alloc(size), .size = size};
    memcpy(all.frames[block].data, work->out, size);
}

static void run_compress(struct work *work, size_t block)
{
    compress(work, block, all.raw + block * all.block);
}

static void run_pack(struct work *work, size_t block)
{
    read_block(block, work->in);
    compress(work, block, work->in);
}

static void decompress_from(struct work *work, size_t block, const char *data, char *out)
{
    size_t size = ZSTD_decompressDCtx(work->decompressing, out, all.block, data, all.frames[block].size);
    if (size != block_length(block))
        bench_die("ZSTD_decompressDCtx", 0);
}

static void decompress(struct work *work, size_t block, char *out)
{
    decompress_from(work, block, all.frames[block].data, out);
}

static void run_decompress(struct work *work, size_t block)
{
    decompress(work, block, work->out);
}

/* Where a block is kept, instead of an earlier one. */
static char *kept_room(size_t block)
{
    return all.kept + block % (all.kept_bytes / all.block) * all.block;
}

static void run_verify(struct work *work, size_t block)
{
    const struct frame *frame = &all.frames[block];
    if (pread(all.file, work->in, frame->size, frame->offset) != (ssize_t)frame->size)
        bench_die("pread", 0);
    volatile XXH64_hash_t hash = XXH3_64bits(work->in, frame->size);
    decompress_from(work, block, work->in, kept_room(block));
    hash = XXH3_64bits(kept_room(block), block_length(block));
    (void)hash;
}

static void run_keep(struct work *work, size_t block)
{
    char *kept = kept_room(block);
    decompress(work, block, kept);
    for (size_t at = 0, length = block_length(block); at < length; at += COPY_BYTES)
        memcpy(work->out, kept + at, length - at < COPY_BYTES ? length - at : COPY_BYTES);
}

static void *work_on(void *context)
{
    struct work *work = context;
    size_t block;
    while ((block = atomic_fetch_add(&all.next, 1)) < all.blocks)
        work->run(work, block);
    return NULL;
}

static void prepare(struct work *work)
{
    work->in = bench_alloc(ZSTD_compressBound(all.block));
    work->out = bench_alloc(ZSTD_compressBound(all.block));
    work->compressing = ZSTD_createCCtx();
    work->decompressing = ZSTD_createDCtx();
    if (!work->compressing || !work->decompressing)
        bench_die("memory", -ENOMEM);
    ZSTD_CCtx_setParameter(work->compressing, ZSTD_c_compressionLevel, all.level);
}

static void run_all(void (*run)(struct work *, size_t), int keep)
{
    struct work works[THREADS_MAX];
    atomic_store(&all.next, 0);
    atomic_store(&all.stored, 0);
    for (unsigned i = 0; i < all.threads; i++) {
        works[i] = (struct work){.run = run, .keep = keep};
        prepare(&works[i]);
        if (pthread_create(&works[i].thread, NULL, work_on, &works[i]) != 0)
            bench_die("pthread_create", 0);
    }
    for (unsigned i = 0; i < all.threads; i++) {
        pthread_join(works[i].thread, NULL);
        ZSTD_freeCCtx(works[i].compressing);
        ZSTD_freeDCtx(works[i].decompressing);
        free(works[i].in);
        free(works[i].out);
    }
}

static double cpu_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report_times(double begin, double cpu)
{
    bench_report("wall", bench_now() - begin, "s");
    bench_report("cpu", cpu_now() - cpu, "s");
}

static void measure_all(void (*run)(struct work *, size_t))
{
    double begin = bench_now(), cpu = cpu_now();
    run_all(run, 0);
    report_times(begin, cpu);
    bench_report("raw", (double)all.bytes, "bytes");
    if (all.stored)
        bench_report("size", (double)all.stored, "bytes");
}

/* ---- The parts ---------------------------------------------------------------------------------- */

/* Not touched yet, as a process that begins to read finds its memory. */
static void map_kept(size_t bytes)
{
    all.kept_bytes = bytes;
    all.kept = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all.kept == MAP_FAILED)
        bench_system(-1, "mmap");
    madvise(all.kept, bytes, MADV_HUGEPAGE); /* without them it is the slower */
}

static void write_frames(void)
{
    off_t offset = 0;
    all.file = (int)bench_system(memfd_create("frames", MFD_CLOEXEC), "memfd_create");
    for (size_t i = 0; i < all.blocks; i++) {
        struct frame *frame = &all.frames[i];
        frame->offset = offset;
        if (pwrite(all.file, frame->data, frame->size, offset) != (ssize_t)frame->size)
            bench_die("pwrite", 0);
        offset += (off_t)frame->size;
    }
}

static void measure_dir(const char *part, const char *dir)
{
    double begin = bench_now(), cpu = cpu_now();
    all.lists = strcmp(part, "list") == 0;
    list_files(dir);
    if (all.lists) {
        report_times(begin, cpu);
    } else if (strcmp(part, "read") == 0) {
        measure_all(run_read);
    } else if (strcmp(part, "compress") == 0) {
        all.raw = bench_alloc(all.blocks * all.block);
        run_all(run_read, 0);
        measure_all(run_compress);
    } else if (strcmp(part, "pack") == 0) {
        measure_all(run_pack);
    } else if (strcmp(part, "decompress") == 0) {
        run_all(run_pack, 1);
        measure_all(run_decompress);
    } else if (strcmp(part, "verify") == 0) {
        run_all(run_pack, 1);
        write_frames();
        map_kept(AGAIN_BYTES);
        measure_all(run_verify);
    } else if (strcmp(part, "keep") == 0) {
        run_all(run_pack, 1);
        map_kept(KEPT_BYTES);
        measure_all(run_keep);
    } else {
        fprintf(stderr, "floor: no such part: %s\n", part);
        exit(2);
    }
}

static void measure_hash(const char *path)
{
    char *buffer = bench_alloc(MIB);
    double begin = bench_now();
    int fd = (int)bench_system(open(path, O_RDONLY | O_CLOEXEC), path);
    XXH3_state_t *state = XXH3_createState();
    ssize_t length;
    XXH3_64bits_reset(state);
    while ((length = read(fd, buffer, MIB)) > 0)
        XXH3_64bits_update(state, buffer, (size_t)length);
    bench_system(length, path);
    volatile XXH64_hash_t digest = XXH3_64bits_digest(state);
    (void)digest;
    bench_report("wall", bench_now() - begin, "s");
    XXH3_freeState(state);
    close(fd);
    free(buffer);
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "j:l:b:")) != -1) {
        if (option == 'j')
            all.threads = (unsigned)atoi(optarg);
        else if (option == 'l')
            all.level = atoi(optarg);
        else if (option == 'b')
            all.block = strtoull(optarg, NULL, 10);
    }
    if (argc - optind != 2 || all.threads < 1 || all.threads > THREADS_MAX || all.block == 0) {
        fprintf(stderr, "usage: floor [-j THREADS] [-l LEVEL] [-b BYTES] PART PATH\n");
        return 2;
    }
    if (strcmp(argv[optind], "hash") == 0)
        measure_hash(argv[optind + 1]);
    else
        measure_dir(argv[optind], argv[optind + 1]);
    return 0;
}
