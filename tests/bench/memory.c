/*
 * The operations in memory, against those of a tmpfs by system calls and against
 * memcpy. (Look-up by path: lookup.c.)
 *
 * memory [--scale PERCENT] [--tmpfs DIR] [PART...]
 *
 *   files    small files: create, stat, open and read, overwrite, readdir, unlink, and create again; here and in DIR
 *   stream   1 GiB written and read in pieces of 1 MiB, and viewed; memcpy
 *   append   one byte at a time
 *   bytes    what a file takes, at the allocator
 *
 * Without parts all of them; without --tmpfs nothing is measured there.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned scale = 100;
static const char *tmpfs;

static uint32_t scaled(uint32_t count)
{
    uint32_t less = (uint32_t)((uint64_t)count * scale / 100);
    return less ? less : 1;
}

static memfs *make_fs(const struct memfs_allocator *allocator)
{
    memfs *fs = NULL;
    struct memfs_options options = {.size = sizeof options, .clock = memfs_clock_coarse, .allocator = allocator};
    bench_check(memfs_create(&options, &fs), "memfs_create");
    return fs;
}

/* ---- Small files, here and in a tmpfs -------------------------------------------- */

#define SMALL 100 /* bytes */
#define SMALL_PER_DIR 200
#define PATH_SIZE 48
#define FILE_HERE 1024  /* bytes: a file takes less, here and */
#define FILE_THERE 6144 /* there */

/* So that what is measured is not how a virtual machine's host gives memory: what has long been free it takes back, and
 * gives it again page by page, at many times the cost of a page that is there. Touches so many bytes and frees them,
 * by huge pages and by small ones: the kernel keeps them apart. */
static void warm(size_t size)
{
    static const int advice[] = {MADV_HUGEPAGE, MADV_NOHUGEPAGE};
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
        unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            bench_die("memory", -ENOMEM);
        madvise(memory, size, advice[i]);
        memset(memory, 1, size);
        munmap(memory, size);
    }
}

/* The same paths for both: relative to the root here, to the working directory there. */
struct small {
    uint32_t files, dirs;
    char (*paths)[PATH_SIZE];    /* in order of making */
    char (*shuffled)[PATH_SIZE]; /* and in none, laid out as they are asked for: no path has to be waited for */
    memfs *fs;
    char bytes[SMALL];
};

static void small_path(uint32_t number, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "directory-%04u/file-%06u.txt", number / SMALL_PER_DIR, number);
}

static void small_name(struct small *small, memfs *fs)
{
    small->fs = fs;
    small->dirs = scaled(1000);
    small->files = small->dirs * SMALL_PER_DIR;
    small->paths = bench_alloc(small->files * sizeof *small->paths);
    small->shuffled = bench_alloc(small->files * sizeof *small->shuffled);
    uint32_t *order = bench_shuffled(small->files, 1);
    for (uint32_t i = 0; i < small->files; i++) {
        small_path(i, small->paths[i]);
        small_path(order[i], small->shuffled[i]);
    }
    free(order);
    memset(small->bytes, 'x', SMALL);
}

static const char *small_dir(uint32_t number)
{
    static char name[PATH_SIZE];
    snprintf(name, sizeof name, "directory-%04u", number);
    return name;
}

static void here_mkdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        bench_check(memfs_mkdir(small->fs, NULL, small_dir(i), 0755), "memfs_mkdir");
}

static void here_create(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++) {
        memfs_file *file = NULL;
        bench_check(memfs_open(small->fs, NULL, small->paths[i], MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file),
                    "memfs_open");
        bench_check(memfs_write(file, small->bytes, SMALL), "memfs_write");
        memfs_close(file);
    }
}

static void here_stat(struct small *small)
{
    struct memfs_stat status;
    for (uint32_t i = 0; i < small->files; i++)
        bench_check(memfs_stat(small->fs, NULL, small->shuffled[i], &status), "memfs_stat");
}

static void here_read(struct small *small)
{
    char buffer[4096];
    for (uint32_t i = 0; i < small->files; i++) {
        memfs_file *file = NULL;
        bench_check(memfs_open(small->fs, NULL, small->shuffled[i], MEMFS_O_READ, 0, &file), "memfs_open");
        if (memfs_read(file, buffer, sizeof buffer) != SMALL)
            bench_die("memfs_read", 0);
        memfs_close(file);
    }
}

static void here_overwrite(struct small *small)
{
    memfs_file *file = NULL;
    bench_check(memfs_open(small->fs, NULL, small->paths[0], MEMFS_O_RDWR, 0, &file), "memfs_open");
    for (uint32_t i = 0; i < small->files; i++) {
        bench_check(memfs_pwrite(file, small->bytes, 16, i % 64), "memfs_pwrite");
        bench_check(memfs_pread(file, small->bytes, 16, i % 64), "memfs_pread");
    }
    memfs_close(file);
}

static void here_list(struct small *small)
{
    struct memfs_dirent entries[64];
    uint32_t seen = 0;
    for (uint32_t i = 0; i < small->dirs; i++) {
        memfs_node dir;
        uint64_t cursor = 0;
        int64_t count;
        bench_check(memfs_resolve(small->fs, NULL, small_dir(i), 1, &dir), "memfs_resolve");
        while ((count = memfs_node_readdir(small->fs, NULL, dir, cursor, entries, 64, 1)) > 0) {
            cursor = entries[count - 1].cursor;
            seen += (uint32_t)count;
        }
        bench_check(count, "memfs_node_readdir");
        memfs_node_forget(small->fs, dir, 1);
    }
    if (seen != small->files)
        bench_die("memfs_node_readdir: not all entries", 0);
}

static void here_unlink(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++)
        bench_check(memfs_unlink(small->fs, NULL, small->paths[i]), "memfs_unlink");
}

static void there_mkdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        bench_system(mkdir(small_dir(i), 0755), "mkdir");
}

static void there_create(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++) {
        int fd = (int)bench_system(open(small->paths[i], O_WRONLY | O_CREAT, 0644), "open");
        bench_system(write(fd, small->bytes, SMALL), "write");
        close(fd);
    }
}

static void there_stat(struct small *small)
{
    struct stat status;
    for (uint32_t i = 0; i < small->files; i++)
        bench_system(stat(small->shuffled[i], &status), "stat");
}

static void there_read(struct small *small)
{
    char buffer[4096];
    for (uint32_t i = 0; i < small->files; i++) {
        int fd = (int)bench_system(open(small->shuffled[i], O_RDONLY), "open");
        if (read(fd, buffer, sizeof buffer) != SMALL)
            bench_die("read", 0);
        close(fd);
    }
}

static void there_overwrite(struct small *small)
{
    int fd = (int)bench_system(open(small->paths[0], O_RDWR), "open");
    for (uint32_t i = 0; i < small->files; i++) {
        bench_system(pwrite(fd, small->bytes, 16, i % 64), "pwrite");
        bench_system(pread(fd, small->bytes, 16, i % 64), "pread");
    }
    close(fd);
}

static void there_list(struct small *small)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < small->dirs; i++) {
        DIR *dir = opendir(small_dir(i));
        if (!dir)
            bench_system(-1, "opendir");
        struct dirent *entry;
        struct stat status;
        while ((entry = readdir(dir))) {
            if (entry->d_name[0] == '.')
                continue;
            bench_system(fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW), "fstatat");
            seen++;
        }
        closedir(dir);
    }
    if (seen != small->files)
        bench_die("readdir: not all entries", 0);
}

static void there_unlink(struct small *small)
{
    for (uint32_t i = 0; i < small->files; i++)
        bench_system(unlink(small->paths[i]), "unlink");
}

static void there_rmdir(struct small *small)
{
    for (uint32_t i = 0; i < small->dirs; i++)
        bench_system(rmdir(small_dir(i)), "rmdir");
}

struct pair {
    const char *name;
    void (*here)(struct small *);
    void (*there)(struct small *);
    int makes; /* files */
};

/* One after the other, so that whatever else the machine does meets both. */
static void measure_files(void)
{
    static const struct pair pairs[] = {
        {"create", here_create, there_create, 1},
        {"stat", here_stat, there_stat, 0},
        {"read", here_read, there_read, 0},
        {"list", here_list, there_list, 0},
        {"overwrite", here_overwrite, there_overwrite, 0},
        {"unlink", here_unlink, there_unlink, 0},
        {"create again", here_create, there_create, 1},
        {"unlink again", here_unlink, there_unlink, 0},
    };
    struct small small;
    small_name(&small, make_fs(NULL));
    int old = (int)bench_system(open(".", O_RDONLY | O_DIRECTORY), "open");
    if (tmpfs)
        bench_system(chdir(tmpfs), tmpfs);
    here_mkdir(&small);
    if (tmpfs)
        there_mkdir(&small);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char name[64];
        if (pairs[i].makes)
            warm((size_t)small.files * FILE_HERE);
        double begin = bench_now();
        pairs[i].here(&small);
        double middle = bench_now();
        snprintf(name, sizeof name, "%s memfs", pairs[i].name);
        bench_report(name, (middle - begin) * 1e6 / small.files, "us");
        if (!tmpfs)
            continue;
        if (pairs[i].makes)
            warm((size_t)small.files * FILE_THERE);
        middle = bench_now();
        pairs[i].there(&small);
        snprintf(name, sizeof name, "%s tmpfs", pairs[i].name);
        bench_report(name, (bench_now() - middle) * 1e6 / small.files, "us");
    }
    if (tmpfs)
        there_rmdir(&small);
    bench_system(fchdir(old), "fchdir");
    close(old);
    memfs_destroy(small.fs);
    free(small.paths);
    free(small.shuffled);
}

/* ---- 1 GiB ----------------------------------------------------------------------------- */

struct stream {
    uint32_t pieces;
    char *piece; /* MIB bytes: what is written, and where to is read */
    char *plain; /* the same amount, mapped */
    memfs *fs;
    memfs_file *file;
    memfs_node node;
};

static void stream_report(const struct stream *stream, const char *name, double begin)
{
    bench_report(name, (double)stream->pieces * (double)MIB / (bench_now() - begin) / 1e9, "GB/s");
}

static void stream_write(struct stream *stream)
{
    double begin = bench_now();
    for (uint32_t i = 0; i < stream->pieces; i++)
        bench_check(memfs_write(stream->file, stream->piece, MIB), "memfs_write");
    stream_report(stream, "large write memfs", begin);

    begin = bench_now();
    stream->plain = mmap(NULL, stream->pieces * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stream->plain == MAP_FAILED)
        bench_system(-1, "mmap");
    for (uint32_t i = 0; i < stream->pieces; i++)
        memcpy(stream->plain + i * MIB, stream->piece, MIB);
    stream_report(stream, "large write memcpy", begin);
}

/* Keeps the compiler from leaving out a copy that nobody reads. */
static void stream_used(const void *bytes)
{
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

static void stream_read(struct stream *stream)
{
    double here = 0, there = 0;
    for (int round = 0; round < 3; round++) {
        double begin = bench_now();
        for (uint32_t i = 0; i < stream->pieces; i++) {
            if (memfs_node_read(stream->fs, stream->node, i * MIB, stream->piece, MIB) != (int64_t)MIB)
                bench_die("memfs_node_read", 0);
            stream_used(stream->piece);
        }
        double middle = bench_now();
        for (uint32_t i = 0; i < stream->pieces; i++) {
            memcpy(stream->piece, stream->plain + i * MIB, MIB);
            stream_used(stream->piece);
        }
        here += middle - begin;
        there += bench_now() - middle;
    }
    double bytes = 3 * (double)stream->pieces * (double)MIB / 1e9;
    bench_report("large read memfs", bytes / here, "GB/s");
    bench_report("large read memcpy", bytes / there, "GB/s");
}

/* That nothing is copied shows in this: whoever asks twice gets the same bytes, at the
 * same place, and the filesystem has taken no memory. */
static void stream_view(struct stream *stream)
{
    struct memfs_statfs before, after;
    struct memfs_view view, again;
    uint64_t views = 0, copied = 0, end = stream->pieces * MIB;
    bench_check(memfs_statfs(stream->fs, &before), "memfs_statfs");
    double begin = bench_now();
    for (uint64_t at = 0; at < end; views++) {
        bench_check(memfs_node_view(stream->fs, stream->node, at, MIB, &view), "memfs_node_view");
        at += view.length;
        memfs_view_release(stream->fs, &view);
    }
    bench_report("view", (bench_now() - begin) * 1e6, "us/GiB");
    bench_report("view pieces", (double)views, "views/GiB");
    for (uint64_t at = 0; at < end;) {
        bench_check(memfs_node_view(stream->fs, stream->node, at, MIB, &view), "memfs_node_view");
        bench_check(memfs_node_view(stream->fs, stream->node, at, MIB, &again), "memfs_node_view");
        copied += view.data != again.data ? view.length : 0;
        at += view.length;
        memfs_view_release(stream->fs, &again);
        memfs_view_release(stream->fs, &view);
    }
    bench_check(memfs_statfs(stream->fs, &after), "memfs_statfs");
    bench_report("view copied", (double)(copied + after.private_bytes - before.private_bytes), "bytes");
}

/* The host of a virtual machine gives memory at its first touch, in its own time: let that be over. */
static void stream_warm(size_t size)
{
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        bench_system(-1, "mmap");
    memset(memory, 'x', size);
    munmap(memory, size);
}

static void measure_stream(void)
{
    struct stream stream = {.pieces = scaled(1024), .fs = make_fs(NULL), .piece = bench_alloc(MIB)};
    memset(stream.piece, 'x', MIB);
    stream_warm(stream.pieces * 2 * MIB);
    bench_check(memfs_open(stream.fs, NULL, "large", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &stream.file), "memfs_open");
    stream.node = memfs_file_node(stream.file);
    stream_write(&stream);
    stream_read(&stream);
    stream_view(&stream);
    memfs_close(stream.file);
    memfs_destroy(stream.fs);
    munmap(stream.plain, stream.pieces * MIB);
    free(stream.piece);
}

/* ---- Appends ----------------------------------------------------------------------------- */

static double append_bytes(uint32_t count)
{
    memfs *fs = make_fs(NULL);
    memfs_file *file = NULL;
    bench_check(memfs_open(fs, NULL, "log", MEMFS_O_WRITE | MEMFS_O_APPEND | MEMFS_O_CREATE, 0644, &file),
                "memfs_open");
    double begin = bench_now();
    for (uint32_t i = 0; i < count; i++)
        bench_check(memfs_write(file, "x", 1), "memfs_write");
    double seconds = bench_now() - begin;
    memfs_close(file);
    memfs_destroy(fs);
    return seconds;
}

static void measure_append(void)
{
    uint32_t less = scaled(1000000), more = 10 * less;
    bench_report("append, tenth", append_bytes(less) * 1e9 / less, "ns");
    bench_report("append", append_bytes(more) * 1e9 / more, "ns");
}

/* ---- Bytes a file -------------------------------------------------------------------------- */

static _Atomic uint64_t allocated;

static void *counting_alloc(void *context, size_t size)
{
    (void)context;
    atomic_fetch_add(&allocated, size);
    return malloc(size);
}

static void counting_free(void *context, void *memory, size_t size)
{
    (void)context;
    atomic_fetch_sub(&allocated, size);
    free(memory);
}

/* Files of so many bytes, with names of 16, a thousand in a directory. */
static double bytes_a_file(uint32_t files, size_t size)
{
    static const struct memfs_allocator allocator = {.alloc = counting_alloc, .free = counting_free};
    static const char bytes[SMALL];
    char path[PATH_SIZE];
    uint64_t before = atomic_load(&allocated);
    memfs *fs = make_fs(&allocator);
    for (uint32_t i = 0; i < files; i++) {
        memfs_file *file = NULL;
        snprintf(path, sizeof path, "dir-%04u", i / 1000);
        if (i % 1000 == 0)
            bench_check(memfs_mkdir(fs, NULL, path, 0755), "memfs_mkdir");
        snprintf(path, sizeof path, "dir-%04u/file-%07u.txt", i / 1000, i);
        bench_check(memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file), "memfs_open");
        bench_check(memfs_write(file, bytes, size), "memfs_write");
        memfs_close(file);
    }
    double result = (double)(atomic_load(&allocated) - before) / files;
    memfs_destroy(fs);
    return result;
}

static void measure_bytes(void)
{
    bench_report("bytes of an empty file", bytes_a_file(scaled(1000000), 0), "bytes");
    bench_report("bytes of a file of 100", bytes_a_file(scaled(1000000), SMALL), "bytes");
}

/* ---- What is asked for ------------------------------------------------------------------------ */

static const struct part {
    const char *name;
    void (*measure)(void);
} parts[] = {
    {"files", measure_files},
    {"stream", measure_stream},
    {"append", measure_append},
    {"bytes", measure_bytes},
};
#define PARTS (sizeof parts / sizeof *parts)

static void measure(const char *name)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            parts[i].measure();
            return;
        }
    }
    fprintf(stderr, "memory: no such part: %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (strcmp(argv[at], "--scale") == 0)
            scale = (unsigned)atoi(argv[at + 1]);
        else if (strcmp(argv[at], "--tmpfs") == 0)
            tmpfs = argv[at + 1];
    }
    for (size_t i = 0; at == argc && i < PARTS; i++)
        parts[i].measure();
    for (; at < argc; at++)
        measure(argv[at]);
    return 0;
}
